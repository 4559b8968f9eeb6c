import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { duration } from '../config/units.ts';
import { faultsText } from '../config/zod-faults.ts';
import { operation } from './operation.ts';
import { CHANGE_KINDS, MOST_CHANGES, type Changes, type NotedChange } from '../telemetry/changes.ts';

/** Where the time line is. */
export const CHANGES_PATH = '/changes';

const count = z.coerce.number().int().min(1).max(MOST_CHANGES);
const moment = z
  .string()
  .refine(
    (text) => !Number.isNaN(Date.parse(text)),
    'expected a time (RFC 3339), or for how long, such as 10m',
  )
  .transform((text) => Date.parse(text));
const sinceSchema = z.union([duration.transform((ms) => Date.now() - ms), moment]);
const querySchema = z.strictObject({
  since: sinceSchema.optional(),
  kind: z.enum(CHANGE_KINDS).optional(),
  limit: count.default(MOST_CHANGES),
});

/** What has changed lately, as operators see it. */
export interface ListedChanges {
  readonly total: number;
  /** How many older ones are not kept any more. */
  readonly left: number;
  /** The latest first. */
  readonly rows: readonly (Omit<NotedChange, 'at'> & { readonly at: string })[];
}

/** Reads what was asked for, and answers it. @returns what is wrong with the question. */
export function describeChanges(
  changes: Changes,
  query: unknown,
): ListedChanges | { readonly error: string } {
  const asked = querySchema.safeParse(query);
  if (!asked.success) return { error: faultsText(asked.error, querySchema, query) };
  const { since = 0, kind, limit } = asked.data;
  const found = changes.since(since).filter((one) => kind === undefined || one.kind === kind);
  const rows = found
    .toReversed()
    .slice(0, limit)
    .map((one) => ({ ...one, at: new Date(one.at).toISOString() }));
  return { total: found.length, left: changes.left, rows };
}

/** Shows what has changed lately; where several processes serve, whoever has started them answers for all. */
export function serveChanges(server: FastifyInstance, changes: Changes): void {
  const list = operation('listChanges', 'read', {
    summary: 'What has changed lately, the latest first',
    query: querySchema,
  });
  server.get(CHANGES_PATH, list, ({ query }, reply) => {
    const answer = describeChanges(changes, query);
    return 'error' in answer ? reply.code(400).send(answer) : reply.send(answer);
  });
}
