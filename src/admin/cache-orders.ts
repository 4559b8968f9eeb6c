import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { faultsText } from '../config/zod-faults.ts';
import type { Purge } from '../policies/cache/answer-store.ts';
import type { AdminOrders } from './admin-orders.ts';
import { noteOrder } from './audited-orders.ts';
import { operation } from './operation.ts';

const PATH = '/cache';
const MOST_PURGES = 100;
const LONGEST_VALUE = 16_384;
const NONE = { error: 'there is no cache in this process' };
const NOT_TOLD =
  'Redis has not taken it: this process has purged, and tells other replicas once Redis is back';

const value = z.string().min(1).max(LONGEST_VALUE).optional();
const purgeSchema = z
  .strictObject({ key: value, prefix: value, tag: value, soft: z.boolean().optional() })
  .refine(({ key, prefix, tag }) => [key, prefix, tag].filter((one) => one !== undefined).length === 1, {
    message: 'expected exactly one of key, prefix, tag',
  });
const ordersSchema = z.union([
  purgeSchema.transform((one) => [one]),
  z.array(purgeSchema).min(1).max(MOST_PURGES),
]);

type Ordered = z.output<typeof purgeSchema>;

/** Shows how full the store of answers is, and takes orders to purge them by key, prefix and tag. */
export function serveCache(server: FastifyInstance, { cache }: Pick<AdminOrders, 'cache'>): void {
  const usage = operation('showCache', 'read', { summary: 'How full the store of answers is' });
  server.get(PATH, usage, (_request, reply) => reply.send(cache?.store.usage ?? NONE));
  const purge = operation('purgeCache', 'operate', {
    summary: 'Purge stored answers by key, prefix and tag',
    body: ordersSchema,
  });
  server.post(`${PATH}/purge`, purge, async (request: FastifyRequest, reply: FastifyReply) => {
    if (cache === undefined) return reply.code(409).send(NONE);
    const read = ordersSchema.safeParse(request.body);
    if (!read.success)
      return reply.code(400).send({ error: faultsText(read.error, ordersSchema, request.body) });
    const purges = read.data.map(purgeOf);
    noteOrder(request, { purges: purges.map(({ by, value: of }) => `${by} ${withoutQuery(of)}`).join(', ') });
    const { keys, reach } = await cache.purge(purges);
    if (reach === 'not-everywhere') return reply.code(503).send({ error: NOT_TOLD, keys });
    return reply.send({ purged: purges.length, keys, reach });
  });
}

function purgeOf({ key, prefix, tag, soft }: Ordered): Purge {
  if (tag !== undefined) return { by: 'tag', value: tag, soft };
  const by = key === undefined ? 'prefix' : 'key';
  return { by, value: uriOf(key ?? prefix ?? ''), soft };
}

// As it is kept: lower-case host, path and query, without scheme and port.
function uriOf(text: string): string {
  const [, host = '', rest = ''] = /^(?:https?:\/\/)?([^/?#]*)(.*)$/is.exec(text) ?? [];
  return host.toLowerCase().replace(/:\d+$/, '') + rest;
}

// A query may hold what nobody should read later.
function withoutQuery(text: string): string {
  return text.split('?', 1)[0] as string;
}
