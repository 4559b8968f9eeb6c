import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { faultsText } from '../config/zod-faults.ts';
import { describeConfig } from './config-listing.ts';
import { etagOf } from './config-match.ts';
import { ConfigDifferences, type ComparedConfig } from './config-differences.ts';
import { operation } from './operation.ts';
import type { ConfigDesk } from '../snapshot/config-desk.ts';
import type { ConfigEntry } from '../snapshot/config-history.ts';
import type { Reloads } from '../snapshot/reloads.ts';
import { shownText } from '../snapshot/shown-text.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';

const HISTORY_PATH = '/config/history';
const number = z.coerce.number().int().min(1);
const listSchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  from: z.coerce.number().int().min(0).default(0),
});
const diffSchema = z.strictObject({ from: number, to: number });

/** What the pages are made of. */
export interface ConfigPagesDeps {
  readonly desk: ConfigDesk;
  readonly snapshots: Snapshots;
  readonly reloads: Reloads;
}

/** Shows which configurations the gateway was given, and how they differ. */
export function serveConfigPages(server: FastifyInstance, deps: ConfigPagesDeps): void {
  const show = operation('showConfig', 'read', {
    summary: 'The configuration in force, and the last reload',
  });
  server.get('/config', show, async (_request, reply) => {
    const place = await deps.desk.place();
    const shown = describeConfig(deps.snapshots, deps.reloads, place);
    return reply.header('etag', etagOf(place.generation)).send(shown);
  });
  const list = operation('listConfigHistory', 'read', {
    summary: 'The configurations that the gateway was given, the latest first',
    query: listSchema,
  });
  server.get(HISTORY_PATH, list, async ({ query }, reply) => {
    const asked = listSchema.safeParse(query);
    if (!asked.success) return reply.code(400).send({ error: faultsText(asked.error, listSchema, query) });
    const { limit, from } = asked.data;
    const all = await deps.desk.history();
    const end = from + limit;
    const next = end < all.length ? { next: end } : {};
    return reply.send({ total: all.length, rows: all.slice(from, end).map(rowOf), ...next });
  });
  const one = operation('showConfigGeneration', 'read', {
    summary: 'One of them, with its text without secrets',
  });
  server.get<{ Params: { generation: string } }>(
    `${HISTORY_PATH}/:generation`,
    one,
    async ({ params }, reply) => {
      const entry = (await deps.desk.history()).find((one) => String(one.generation) === params.generation);
      if (entry === undefined) return unknown(reply, params.generation);
      const text = await deps.desk.text(entry.generation);
      return reply.send({ ...rowOf(entry), ...(text !== undefined && { text: await shownText(text) }) });
    },
  );
  const differences = new ConfigDifferences(deps);
  const diff = operation('diffConfigs', 'read', {
    summary: 'How two of them differ, in meaning and as text',
    query: diffSchema,
  });
  server.get('/config/diff', diff, async ({ query }, reply) => {
    const asked = diffSchema.safeParse(query);
    if (!asked.success) return reply.code(400).send({ error: faultsText(asked.error, diffSchema, query) });
    const { from, to } = asked.data;
    const entries = await deps.desk.history();
    const two: ComparedConfig[] = [];
    for (const generation of [from, to]) {
      const entry = entries.find((one) => one.generation === generation);
      if (entry === undefined) return unknown(reply, String(generation));
      const text = await deps.desk.text(generation);
      if (text === undefined) return reply.code(410).send({ error: forgotten(generation) });
      two.push({ ...entry, text });
    }
    const [before, after] = two as [ComparedConfig, ComparedConfig];
    return reply.send({ ...(await differences.between(before, after)), ...asked.data });
  });
}

/** One configuration as operators see it. */
export function rowOf({ at, ...entry }: ConfigEntry): object {
  return { ...entry, at: new Date(at).toISOString() };
}

function unknown(reply: FastifyReply, generation: string): FastifyReply {
  return reply.code(404).send({ error: `configuration ${generation} is not kept; see ${HISTORY_PATH}` });
}

function forgotten(generation: number): string {
  return `the text of configuration ${generation} is not kept any more, or could not be read when it came`;
}
