import { isIP, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';

/** Where the operators of this gateway are listened to. */
export interface OperatorsPlace {
  /** An address, or `localhost`. */
  readonly host: string;
  readonly port: number;
}

/** What is said of a target that leads there. */
export const OPERATORS_WARNING = "it is the operators' listener of this gateway, to which no route leads";

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
  for (const place of places) if (leadsTo(socket, place)) return true;
  return false;
}

/** The same of one place, also for a process that listens nowhere. */
export function leadsTo(
  { remoteAddress, remotePort, localAddress }: Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress'>,
  { host, port }: OperatorsPlace,
): boolean {
  return port === remotePort && isAt(host, plain(remoteAddress), plain(localAddress));
}

/**
 * Whether a target is where operators are listened to, as far as can be told without a connection: what another name means is
 * not asked.
 *
 * @param host an address without brackets, or a name.
 */
export function isOperatorsPlace(host: string, port: number, place: OperatorsPlace): boolean {
  // Port 0 is any free one, which nobody knows yet.
  if (place.port !== port || port === 0) return false;
  const name = host.toLowerCase();
  if (name === place.host.toLowerCase()) return true;
  if (name === 'localhost') return LOOPBACK.test(place.host) || EVERYWHERE.has(place.host);
  if (isIP(name) === 0) return false;
  const isOwn = (): boolean =>
    Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === name));
  return isAt(place.host, plain(name), EVERYWHERE.has(place.host) && isOwn() ? plain(name) : '');
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
