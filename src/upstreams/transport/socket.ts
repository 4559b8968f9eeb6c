import { connect as connectClear, type Socket } from 'node:net';
import { connect as connectSecure, TLSSocket } from 'node:tls';

/** Where a target listens, and how it is reached. */
export interface SocketOptions {
  readonly host: string;
  readonly port: number;
  /** Over TLS, with the system's authorities. */
  readonly secure: boolean;
  /** The protocol that a target behind TLS has to choose (RFC 7301). */
  readonly protocol: 'h2' | 'http/1.1';
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

/** One buffer for all that comes in the clear: who wants to keep some of it makes a copy. */
const incoming = Buffer.allocUnsafeSlow(65_536);

/** Opens a socket to a target. */
export function openSocket(options: SocketOptions, user: SocketUser): Socket {
  const { host, port, secure, protocol, connectTimeoutMs } = options;
  const take = (bytes: number): boolean => {
    user.take(incoming.subarray(0, bytes));
    return true;
  };
  const socket = secure
    ? connectSecure({ host, port, ALPNProtocols: [protocol] }).on('data', (bytes: Buffer) => user.take(bytes))
    : connectClear({ host, port, onread: { buffer: incoming, callback: take } });
  socket.setNoDelay(true);
  const tooLong = (): unknown =>
    socket.destroy(coded('ETIMEDOUT', `no connection within ${connectTimeoutMs} ms`));
  const timer = setTimeout(tooLong, connectTimeoutMs);
  socket.once(secure ? 'secureConnect' : 'connect', () => {
    clearTimeout(timer);
    if (socket instanceof TLSSocket && !hasAgreed(socket, protocol))
      socket.destroy(coded('EPROTO', `the target does not offer ${protocol}`));
    else user.connected();
  });
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

// A server that knows nothing of the negotiation speaks HTTP/1.1.
function hasAgreed({ alpnProtocol }: TLSSocket, protocol: string): boolean {
  return alpnProtocol === protocol || (alpnProtocol === false && protocol === 'http/1.1');
}

function coded(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}
