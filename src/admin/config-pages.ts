import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { ConfigError } from '../config/config-fault.ts';
import { faultsText } from '../config/zod-faults.ts';
import { describeConfig } from './config-listing.ts';
import { etagOf } from './config-match.ts';
import { operation } from './operation.ts';
import type { ConfigDesk } from '../snapshot/config-desk.ts';
import { diffConfigs } from '../snapshot/config-diff.ts';
import type { ConfigEntry } from '../snapshot/config-history.ts';
import { diffRows, type DiffRow } from '../snapshot/diff-rows.ts';
import type { Reloads } from '../snapshot/reloads.ts';
import { shownText } from '../snapshot/shown-text.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import { textDiff } from '../snapshot/text-diff.ts';
import { redactedFields } from '../telemetry/redaction.ts';

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
  const differences = new Differences(deps);
  const diff = operation('diffConfigs', 'read', {
    summary: 'How two of them differ, in meaning and as text',
    query: diffSchema,
  });
  server.get('/config/diff', diff, async ({ query }, reply) => {
    const asked = diffSchema.safeParse(query);
    if (!asked.success) return reply.code(400).send({ error: faultsText(asked.error, diffSchema, query) });
    return differences.show(asked.data, reply);
  });
}

/** One configuration as operators see it. */
export function rowOf({ at, ...entry }: ConfigEntry): object {
  return { ...entry, at: new Date(at).toISOString() };
}

/** What has changed in meaning, or why nobody can say. */
interface Meaning {
  readonly changes: readonly DiffRow[];
  readonly faults?: ConfigError['faults'];
}

class Differences {
  readonly #deps: ConfigPagesDeps;
  /** Compiling takes the loop: one after the other, and the last one once. */
  #running: Promise<unknown> = Promise.resolve();
  #last: { readonly of: string; readonly answer: object } | undefined = undefined;

  constructor(deps: ConfigPagesDeps) {
    this.#deps = deps;
  }

  async show(
    asked: { readonly from: number; readonly to: number },
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const entries = await this.#deps.desk.history();
    const two: { readonly sha: string; readonly text: string }[] = [];
    for (const generation of [asked.from, asked.to]) {
      const entry = entries.find((one) => one.generation === generation);
      if (entry === undefined) return unknown(reply, String(generation));
      const text = await this.#deps.desk.text(generation);
      if (text === undefined) return reply.code(410).send({ error: forgotten(generation) });
      two.push({ sha: entry.sha, text });
    }
    const [before = { sha: '', text: '' }, after = before] = two;
    const of = `${before.sha} ${after.sha}`;
    const run = this.#running.then(async () => {
      if (this.#last?.of !== of)
        this.#last = { of, answer: await this.#compared(asked, before.text, after.text) };
      return this.#last.answer;
    });
    this.#running = run.catch(() => undefined);
    return reply.send({ ...(await run), ...asked });
  }

  async #compared(asked: { from: number; to: number }, before: string, after: string): Promise<object> {
    const named = async (generation: number, text: string) => ({
      name: `configuration ${generation}`,
      text: await shownText(text),
    });
    const meaning = this.#meaning(before, after);
    const text = await textDiff(await named(asked.from, before), await named(asked.to, after));
    return { ...meaning, ...(text === undefined ? { tooDifferent: true } : { text }) };
  }

  #meaning(before: string, after: string): Meaning {
    if (before === after) return { changes: [] };
    const made: { discard(): void }[] = [];
    const compiled = (text: string) => {
      const { current } = this.#deps.snapshots;
      if (current.source.document.text === text) return current;
      const snapshot = this.#deps.reloads.compared(text);
      made.push(snapshot);
      return snapshot;
    };
    try {
      // What a field is set to may be a credential; that it changes is told all the same.
      return { changes: diffRows(redactedFields(diffConfigs(compiled(before), compiled(after)))) };
    } catch (error) {
      // One that was refused, or that names files which are not there any more, has no meaning; its text is compared.
      if (error instanceof ConfigError) return { changes: [], faults: error.faults };
      throw error;
    } finally {
      for (const snapshot of made) snapshot.discard();
    }
  }
}

function unknown(reply: FastifyReply, generation: string): FastifyReply {
  return reply.code(404).send({ error: `configuration ${generation} is not kept; see ${HISTORY_PATH}` });
}

function forgotten(generation: number): string {
  return `the text of configuration ${generation} is not kept any more, or could not be read when it came`;
}
