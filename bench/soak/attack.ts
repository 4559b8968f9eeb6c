import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What an attack is given. */
export interface Battlefield {
  readonly port: number;
  /** Bearer tokens of callers who may do what users may, for attacks from within. */
  readonly tokens: readonly string[];
  /** Ends the attack. */
  readonly over: AbortSignal;
}

/** Something that an attacker does over and over. */
export interface Attack {
  readonly name: string;
  /** How often it is begun per second; the machine has the gateway's work to do besides. */
  readonly perSecond: number;
  /** How many may be under way at once; more are left out until one has ended. */
  readonly atOnce: number;
  /** Once; what it opened is closed when it resolves or the signal comes. Throws what went wrong, which is counted. */
  strike(field: Battlefield, turn: number): Promise<void>;
}

/** What an attack did. */
export interface Tally {
  begun: number;
  ended: number;
  failed: number;
}

/** Repeats an attack until it is over. */
export async function repeat(attack: Attack, field: Battlefield, tally: Tally): Promise<void> {
  const everyMs = 1000 / attack.perSecond;
  let underWay = 0;
  const startedAt = performance.now();
  for (let turn = 0; !field.over.aborted; turn += 1) {
    await sleep(Math.max(0, startedAt + turn * everyMs - performance.now()));
    if (underWay >= attack.atOnce) continue;
    underWay += 1;
    tally.begun += 1;
    attack
      .strike(field, turn)
      .then(() => (tally.ended += 1))
      .catch(() => (tally.failed += 1))
      .finally(() => (underWay -= 1));
  }
}

/** A connection to the gateway from one of many loopback addresses, so that limits per address do not hide the rest. */
export async function dial({ port, over }: Battlefield, turn: number): Promise<Socket> {
  const address = `127.0.${1 + (turn % 100)}.${1 + (Math.floor(turn / 100) % 200)}`;
  const socket = connect({ port, host: '127.0.0.1', localAddress: address, allowHalfOpen: true });
  const end = (): void => void socket.destroy();
  over.addEventListener('abort', end, { once: true });
  socket.on('error', () => {}).once('close', () => over.removeEventListener('abort', end));
  await once(socket, 'connect');
  return socket;
}

/** Keeps a connection for a time at most; resolves when it is closed, by whom ever. */
export async function keep(socket: Socket, ms: number): Promise<void> {
  if (socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), ms);
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
  clearTimeout(timer);
}

/** Waits until more can be written, the connection is closed, or `ms` have passed. */
export function untilWritable(socket: Socket, ms = 60_000): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      socket.off('drain', done).off('close', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    socket.once('drain', done).once('close', done);
  });
}

/** Sends a request of text and waits for the connection's end, or for `ms`. */
export async function shoot(
  field: Battlefield,
  turn: number,
  { text, ms = 8000 }: { readonly text: string; readonly ms?: number },
): Promise<void> {
  const socket = await dial(field, turn);
  socket.resume();
  socket.write(text);
  await keep(socket, ms);
}

/** The head of a request, with lines of its own. */
export function head(target: string, lines: readonly string[] = []): string {
  return [target + ' HTTP/1.1', 'Host: gateway.example', ...lines, '', ''].join('\r\n');
}

/** A POST of JSON to the GraphQL door, by somebody who may. */
export function graphqlPost({ tokens }: Battlefield, turn: number, body: unknown): string {
  const text = JSON.stringify(body);
  return (
    head('POST /graphql', [
      `Authorization: Bearer ${tokens[turn % tokens.length] ?? ''}`,
      'Content-Type: application/json',
      'Connection: close',
      `Content-Length: ${Buffer.byteLength(text)}`,
    ]) + text
  );
}
