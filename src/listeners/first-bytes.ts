import type { Socket } from 'node:net';
import { readProxyHeader } from './proxy-header.ts';

/** What HTTP/2 begins with (RFC 9113 section 3.4). */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** What the first bytes of a connection say. */
export type Verdict<Value> =
  | { readonly kind: 'more' }
  | { readonly kind: 'fault'; readonly reason: string }
  /** @property used how many bytes nobody else is to see. */
  | { readonly kind: 'known'; readonly value: Value; readonly used: number };

/** How first bytes are waited for. */
export interface Waiting {
  readonly timeoutMs: number;
  /** Hears why a connection was closed. */
  onFault(reason: string): void;
}

const MORE = { kind: 'more' } as const;

/** Which version of HTTP a connection speaks that says so by nothing but its first bytes. */
export function versionOf(bytes: Buffer): Verdict<'h2' | 'http/1.1'> {
  const length = Math.min(bytes.length, PREFACE.length);
  const isAlike = bytes.subarray(0, length).equals(PREFACE.subarray(0, length));
  if (!isAlike) return { kind: 'known', value: 'http/1.1', used: 0 };
  return length < PREFACE.length ? MORE : { kind: 'known', value: 'h2', used: 0 };
}

/** Whose address a connection speaks for. */
export function sourceOf(bytes: Buffer): Verdict<string | undefined> {
  const header = readProxyHeader(bytes);
  if (header.kind === 'incomplete') return MORE;
  if (header.kind === 'malformed') return { kind: 'fault', reason: header.reason };
  return { kind: 'known', value: header.address, used: header.length };
}

/**
 * Reads the first bytes of a connection until they say something, and leaves what follows to who takes it over. A client
 * that does not say enough in time, or nothing that can be read, loses its connection.
 */
export function readFirst<Value>(
  socket: Socket,
  judge: (bytes: Buffer) => Verdict<Value>,
  { timeoutMs, onFault }: Waiting,
  then: (value: Value) => void,
): void {
  let seen: Buffer = Buffer.alloc(0);
  const stop = (): void => {
    clearTimeout(timer);
    socket.off('readable', look).off('close', stop).off('end', gone);
  };
  const fail = (reason: string): void => {
    stop();
    onFault(reason);
    socket.destroy();
  };
  const gone = (): void => fail('left before it had said enough');
  const timer = setTimeout(() => fail('has not said enough in time'), timeoutMs);
  const look = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    const verdict = judge(seen);
    if (verdict.kind === 'more') return;
    if (verdict.kind === 'fault') return fail(verdict.reason);
    stop();
    if (verdict.used < seen.length) socket.unshift(seen.subarray(verdict.used));
    then(verdict.value);
  };
  socket.on('readable', look).once('close', stop).once('end', gone);
}
