import { isIP, Socket } from 'node:net';

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/;

/**
 * Has the process connect to this machine only: whatever else is asked for, such as an issuer, fails at once. Names are not
 * looked up.
 *
 * @returns what takes that back.
 */
export function loopbackOnly(): () => void {
  const real = Socket.prototype.connect;
  function connect(this: Socket, ...given: unknown[]): Socket {
    const host = hostOf(given);
    if (host === undefined || LOOPBACK.test(host) || host === 'localhost')
      return Reflect.apply(real, this, given) as Socket;
    const fault = new Error(`a simulation connects to nobody else: ${host}`);
    // As for a connection that is refused, so that whoever asks finds its own way on.
    Object.assign(fault, { code: 'ECONNREFUSED', address: isIP(host) === 0 ? undefined : host });
    process.nextTick(() => this.destroy(fault));
    return this;
  }
  Socket.prototype.connect = connect;
  return () => void (Socket.prototype.connect = real);
}

// `net` hands over what it was called with: options, or a list with options in front; or a port and a host.
function hostOf(given: readonly unknown[]): string | undefined {
  const [first, second] = given.flat() as readonly unknown[];
  if (typeof first === 'object' && first !== null) {
    const { host, path } = first as { host?: string; path?: string };
    return path === undefined || path === null ? (host ?? 'localhost') : undefined;
  }
  return typeof second === 'string' ? second : 'localhost';
}
