import { isIP } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { relayed } from './relayed-requests.ts';

const NAME = /^(\[[^\]]*\]|[^:]*)(?::\d*)?$/;

/**
 * Keeps pages in the browsers of operators out. Fails closed: browsers say the origin with every order, also those of a page
 * whose name leads here only since it was loaded; what such a page reads is known by that name, which on loopback nobody
 * else has a use for.
 */
export async function refusePages(
  { headers: { origin, host }, socket }: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const localAddress = relayed.getStore()?.localAddress ?? socket.localAddress;
  if (origin !== undefined)
    await reply.code(403).send({ error: 'pages in browsers may give no orders, and read nothing' });
  else if (isLoopback(localAddress) && !isOwnName(host))
    await reply.code(403).send({ error: 'expected an IP address, or a name without a dot, in Host' });
}

function isLoopback(address = ''): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address);
}

/** Whether no stranger can have made a host lead here: an address, or a name that no public zone has. */
function isOwnName(host = ''): boolean {
  const name = NAME.exec(host)?.[1]
    ?.toLowerCase()
    .replace(/^\[|\]$/g, '');
  if (name === undefined) return false;
  return isIP(name) > 0 || !name.includes('.') || name.endsWith('.localhost');
}
