import { once } from 'node:events';
import { request, type Agent, type ClientRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Visit } from './visits.ts';

const PIECES = 5;
const PIECE_EVERY_MS = 250;
/** Longer than anything here takes; a gateway that hangs must not gather requests. */
const LIMIT_MS = 10_000;

/** Where a request goes, by which connections, and until when. */
export interface Sending {
  readonly gateway: string;
  readonly agent: Agent;
  readonly signal: AbortSignal;
}

/**
 * Sends one request, reads its answer to the end and forgets it.
 *
 * @returns the status; undefined where none came.
 */
export async function send(
  { asks, body, trickles, leavesAfterMs }: Visit,
  headers: Readonly<Record<string, string>>,
  { gateway, agent, signal }: Sending,
): Promise<number | undefined> {
  const [method, path] = asks.split(' ', 2);
  const text = body && JSON.stringify(body);
  const length = trickles ?? (text === undefined ? undefined : Buffer.byteLength(text));
  const out = request(gateway + path, {
    method,
    agent,
    signal: AbortSignal.any([signal, AbortSignal.timeout(leavesAfterMs ?? LIMIT_MS)]),
    headers: {
      ...headers,
      ...(text === undefined ? {} : { 'content-type': 'application/json' }),
      ...(length === undefined ? {} : { 'content-length': length }),
    },
  });
  // Also once it is answered.
  out.on('error', () => undefined);
  const answered = once(out, 'response');
  // Heard of below, once the body is out.
  answered.catch(() => undefined);
  try {
    await (trickles === undefined ? out.end(text) : trickle(out, trickles, signal));
    const [response] = await answered;
    response.resume();
    await once(response, 'close');
    return response.statusCode;
  } catch {
    // A gateway that is on its way out, or a client that left: nothing that traffic could do anything about.
    return undefined;
  }
}

async function trickle(out: ClientRequest, bytes: number, signal: AbortSignal): Promise<void> {
  const piece = Buffer.alloc(bytes / PIECES, 'sample ');
  for (let sent = 0; sent < PIECES; sent += 1) {
    out.write(piece);
    await sleep(PIECE_EVERY_MS, undefined, { signal });
  }
  out.end();
}
