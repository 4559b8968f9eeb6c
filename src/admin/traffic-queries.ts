import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { faultsText } from '../config/zod-faults.ts';
import { ROW_SORTS } from '../traffic/route-rows.ts';
import { relayed } from './relayed-requests.ts';

const MOST_ROWS = 1000;
const LONGEST_TEXT = 200;

const text = z.string().max(LONGEST_TEXT).optional();
const count = (most: number, usual: number): z.ZodType<number, unknown> =>
  z.coerce.number().int().min(0).max(most).default(usual);
const flag = z
  .enum(['true', 'false', '1', '0', ''])
  .transform((given) => given !== 'false' && given !== '0')
  .default(false);

/** What every list is asked with. */
const page = { limit: count(MOST_ROWS, 100), from: count(Number.MAX_SAFE_INTEGER, 0) };
const range = z.enum(['10m', '2h']).default('10m');
const rowSort = z
  .string()
  .refine((given) => (ROW_SORTS as readonly string[]).includes(given.replace(/^-/, '')), {
    error: `expected one of ${ROW_SORTS.join(', ')}, with a minus for the greatest first`,
  })
  .optional();

/** What the pages about traffic are asked with. */
export const queries = {
  range: z.strictObject({ range }),
  routes: z.strictObject({
    ...page,
    q: text,
    sort: rowSort,
    group: z.enum(['prefix']).optional(),
    window: z.enum(['60s', '10m']).default('60s'),
    names: flag,
  }),
  list: z.strictObject({ ...page, q: text, sort: text }),
  operation: z.strictObject({ range, type: text }),
  picture: z.strictObject({ select: text }),
  exchanges: z.strictObject({
    ...page,
    route: text,
    outcome: z.enum(['refused', 'failed', 'slow', 'sample']).optional(),
    client: text,
    operation: text,
    q: text,
  }),
  stream: z.strictObject({
    view: z.enum(['overview', 'routes', 'picture', 'route', 'upstream', 'process']).default('overview'),
    id: text,
    q: text,
    sort: rowSort,
    group: z.enum(['prefix']).optional(),
    select: text,
    range,
    from: count(Number.MAX_SAFE_INTEGER, 0),
    n: count(MOST_ROWS, 100),
  }),
};

/** Reads a query. @returns undefined when it was answered with what is wrong with it. */
export function readQuery<Schema extends z.ZodType>(
  schema: Schema,
  query: unknown,
  reply: FastifyReply,
): z.output<Schema> | undefined {
  const read = schema.safeParse(query ?? {});
  if (read.success) return read.data;
  void reply.code(400).send({ error: faultsText(read.error, schema, query) });
  return undefined;
}

/** A part of a list that is there as a whole. */
export function partOf<Row>(
  all: readonly Row[],
  { from, limit }: { readonly from: number; readonly limit: number },
): { total: number; rows: readonly Row[]; next?: number } {
  const rows = all.slice(from, from + limit);
  return listed(rows, all.length, from);
}

/** A list, with where it goes on. */
export function listed<Row>(
  rows: readonly Row[],
  total: number,
  from: number,
): { total: number; rows: readonly Row[]; next?: number } {
  const end = from + rows.length;
  return { total, rows, ...(rows.length > 0 && end < total && { next: end }), ...workerNote() };
}

/** Whose answer it is, where several processes serve; nothing otherwise. */
export function workerNote(): { worker?: { number: number; of: number } } {
  const worker = relayed.getStore()?.worker;
  return worker === undefined ? {} : { worker };
}
