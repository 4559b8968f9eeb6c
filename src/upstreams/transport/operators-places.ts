import { isIP, type Socket } from 'node:net';

/** Where the operators of this gateway are listened to. */
export interface OperatorsPlace {
  /** An address, or `localhost`. */
  readonly host: string;
  readonly port: number;
}

/** The code of the error that ends a connection of a target which leads there. */
export const OPERATORS_PLACE = 'EOPERATORS';

const EVERYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
const LOOPBACK = /^(?:127\.|::1$)/;

const places = new Set<OperatorsPlace>();

/**
 * Keeps targets of all upstreams of this process from a place: whoever reaches the operators' listener over a route would be
 * taken for somebody on this machine.
 *
 * @returns what takes that back.
 */
export function keepTargetsFrom(place: OperatorsPlace): () => void {
  places.add(place);
  return () => void places.delete(place);
}

/**
 * Whether a connection leads to where operators are listened to, whatever name it was asked for by. Seen from here only: what a
 * packet filter or another machine leads back looks like any other.
 */
export function leadsToOperators(
  socket: Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress'>,
): boolean {
  if (places.size === 0) return false;
  const [remote, local] = [plain(socket.remoteAddress), plain(socket.localAddress)];
  for (const { host, port } of places)
    if (port === socket.remotePort && isAt(host, remote, local)) return true;
  return false;
}

// Who connects to an address of its own machine does so from the same one, but for loopback.
function isAt(host: string, remote: string, local: string): boolean {
  if (EVERYWHERE.has(host)) return remote === local || LOOPBACK.test(remote);
  // Fails closed: which of them a name means is known to who listens.
  return isIP(host) === 0 ? remote === local || LOOPBACK.test(remote) : remote === plain(host);
}

function plain(address = ''): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}
