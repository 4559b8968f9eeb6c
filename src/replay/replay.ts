import { isDeepStrictEqual } from 'node:util';
import { ExplainFault, readExplainInput, type ExplainInput } from '../explain/explain.schema.ts';
import { explain } from '../explain/explain.ts';
import type { RecordedExchange } from '../record/sample-format.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { differencesOf, Groups, noiseOf, type Group } from './changes.ts';
import { inFixedWorld } from './fixed-world.ts';
import { outcomeOf, type Outcome } from './outcome.ts';
import { readSample } from './sample-reader.ts';

/** What a new configuration would have made of a sample. */
export interface Replayed {
  /** Requests that were compared, and those of them that would be treated otherwise. */
  readonly compared: number;
  readonly changed: number;
  readonly changes: readonly Group[];
  /** Differences of more causes than are listed. */
  readonly unlisted: number;
  /** Lines that cannot be replayed, and the first one. */
  readonly unreadable: number;
  readonly firstUnreadable?: string | undefined;
  /** Parts of requests that differ by themselves, and were not compared. */
  readonly noise: readonly string[];
  /** Routes of the new configuration that no request of the sample takes. */
  readonly unsampled: readonly string[];
  /** Whether the configurations say other things about identity: callers are those that were found out when recorded. */
  readonly identityChanged: boolean;
}

/**
 * Judges the requests of a sample under two configurations, one after the other and without sending anything: at the time at
 * which each was recorded, by whoever it was found to be then.
 *
 * @throws {SampleFault} for a file that is no sample.
 */
export async function replay(old: Snapshot, now: Snapshot, file: string): Promise<Replayed> {
  const groups = new Groups();
  const noise = new Set<string>();
  const taken = new Set<string>();
  const count = { compared: 0, changed: 0, unreadable: 0 };
  let firstUnreadable: string | undefined = undefined;
  for await (const read of readSample(file)) {
    const judged = 'fault' in read ? read.fault : await judgedBy(old, now, read.exchange);
    if (typeof judged === 'string') {
      count.unreadable += 1;
      firstUnreadable ??= `line ${read.line}: ${judged}`;
      continue;
    }
    for (const part of noiseOf(judged.before, judged.again)) noise.add(part);
    const differences = differencesOf(judged.before, judged.after, noise);
    const example = { request: judged.request, line: read.line };
    for (const one of differences) groups.add(one, example);
    taken.add(judged.after.route);
    count.compared += 1;
    if (differences.length > 0) count.changed += 1;
  }
  return {
    ...count,
    changes: groups.sorted,
    unlisted: groups.left,
    firstUnreadable,
    noise: [...noise].sort(),
    unsampled: [
      ...new Set(now.table.routes.filter(({ door }) => door !== 'handler').map(({ id }) => id)),
    ].filter((id) => !taken.has(id)),
    identityChanged: !isDeepStrictEqual(old.source.value.identity, now.source.value.identity),
  };
}

interface Judged {
  readonly request: string;
  readonly before: Outcome;
  readonly again: Outcome;
  readonly after: Outcome;
}

async function judgedBy(old: Snapshot, now: Snapshot, exchange: RecordedExchange): Promise<Judged | string> {
  try {
    const input = explainInputOf(exchange);
    const at = Date.parse(exchange.at);
    const judge = (snapshot: Snapshot) =>
      inFixedWorld(at, async () => outcomeOf(await explain(input, snapshot)));
    return {
      request: `${exchange.method} ${exchange.url}`,
      before: await judge(old),
      again: await judge(old),
      after: await judge(now),
    };
  } catch (error) {
    if (error instanceof ExplainFault) return error.message;
    throw error;
  }
}

/** Fields of how a body came, which is not the body that was kept. */
const OF_BODY = /^(?:content-length|transfer-encoding|expect)$/i;

/** What an exchange of a sample was asked, as it can be explained. @throws {ExplainFault} for what makes no sense. */
export function explainInputOf({ method, url, headers, from, as, body }: RecordedExchange): ExplainInput {
  return readExplainInput({
    request: `${method} ${url}`,
    headers: headers.filter(([name]) => !OF_BODY.test(name)).map(([name, value]) => `${name}: ${value}`),
    from,
    ...(as === undefined ? {} : { as }),
    ...(body === undefined ? {} : { body }),
  });
}
