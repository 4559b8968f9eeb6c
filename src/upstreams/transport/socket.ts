import { connect as connectClear, type Socket } from 'node:net';
import { leadsToOperators, OPERATORS_PLACE } from './operators-places.ts';
import { coded, TargetTls, type ChosenProtocol } from './target-tls.ts';

/** Where a target listens, and how it is reached. */
export interface SocketOptions {
  readonly host: string;
  readonly port: number;
  /** Over TLS. */
  readonly secure: boolean;
  /** What TLS goes by; by default the system's authorities, and no session is remembered. */
  readonly tls?: TargetTls | undefined;
  /** The protocol that a target behind TLS has to choose (RFC 7301). */
  readonly protocol: ChosenProtocol;
  readonly connectTimeoutMs: number;
}

/** Who uses a socket. */
export interface SocketUser {
  connected(): void;
  /** Takes bytes; they are only valid until it returns. */
  take(bytes: Buffer): void;
  /** Hears of the end, once. `isComplete`: the other side has said all that it wanted to say. */
  closed(isComplete: boolean, error: NodeJS.ErrnoException | undefined): void;
}

const NOT_FOR_TARGETS = 'the operators’ listener of this gateway is no target';

/** One buffer for all that comes in the clear: who wants to keep some of it makes a copy. */
const incoming = Buffer.allocUnsafeSlow(65_536);

/** Opens a socket to a target. */
export function openSocket(options: SocketOptions, user: SocketUser): Socket {
  const { host, port, secure, tls, protocol, connectTimeoutMs } = options;
  const take = (bytes: number): boolean => {
    user.take(incoming.subarray(0, bytes));
    return true;
  };
  const connected = (): void => {
    clearTimeout(timer);
    user.connected();
  };
  const socket = secure
    ? (tls ?? new TargetTls(host))
        .connect({ port }, protocol, connected)
        .on('data', (bytes: Buffer) => user.take(bytes))
    : connectClear({ host, port, onread: { buffer: incoming, callback: take } });
  socket.once('connect', () => {
    // Fails closed: nothing of a request has been written by then.
    if (leadsToOperators(socket)) socket.destroy(coded(OPERATORS_PLACE, NOT_FOR_TARGETS));
    else if (!secure) connected();
  });
  socket.setNoDelay(true);
  const tooLong = (): unknown =>
    socket.destroy(coded('ETIMEDOUT', `no connection within ${connectTimeoutMs} ms`));
  const timer = setTimeout(tooLong, connectTimeoutMs);
  let isComplete = false;
  let failure: NodeJS.ErrnoException | undefined;
  socket.once('end', () => (isComplete = true));
  socket.on('error', (error) => (failure = error));
  socket.once('close', () => {
    clearTimeout(timer);
    user.closed(isComplete && failure === undefined, failure);
  });
  return socket;
}
