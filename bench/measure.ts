import type { BenchCase } from './cases.ts';
import { checkSameAnswer, checkWork } from './checks.ts';
import { stopChild } from './children.ts';
import { usageOf } from './cpu.ts';
import { load, type LoadOptions, type LoadResult } from './load.ts';
import type { BenchOptions } from './options.ts';
import type { Stand, Subject } from './stand.ts';

/** Connections that the load tool keeps open. */
export const CONNECTIONS = 64;

/** One round of one subject. */
export interface Round extends LoadResult {
  readonly cpuUsPerRequest: number;
}

/** All rounds of one subject. */
export interface Series {
  readonly rounds: Round[];
  rssBytes: number;
}

/** Both sides of a case. */
export interface Comparison {
  readonly gateway: Series;
  readonly twin: Series;
  /** What a reader of the numbers should know. */
  readonly note: string | undefined;
}

/** What a case came to. */
export type CaseResult =
  | { readonly case: BenchCase; readonly skipped: string }
  | { readonly case: BenchCase; readonly failed: string }
  | ({ readonly case: BenchCase } & Comparison);

/** Measures one case: twin and gateway in turn, round by round, so that a slow minute hits both. */
export async function measure(one: BenchCase, stand: Stand, options: BenchOptions): Promise<CaseResult> {
  if (one.needsRedis && stand.redisUrl === undefined)
    return { case: one, skipped: 'there is no redis-server' };
  const subjects: Subject[] = [];
  try {
    const twin = await stand.startTwin(one);
    subjects.push(twin);
    const gateway = await stand.startGateway(one);
    subjects.push(gateway);
    return { case: one, ...(await compare(one, stand, options, { gateway, twin })) };
  } catch (error) {
    return { case: one, failed: (error as Error).message };
  } finally {
    await Promise.all(subjects.map(({ child }) => stopChild(child)));
  }
}

async function compare(
  one: BenchCase,
  stand: Stand,
  options: BenchOptions,
  pair: { gateway: Subject; twin: Subject },
): Promise<Comparison> {
  await checkSameAnswer(one, pair, one.principals > 0 ? stand.tokens[0] : undefined);
  const gateway: Series = { rounds: [], rssBytes: 0 };
  const twin: Series = { rounds: [], rssBytes: 0 };
  const run = (subject: Subject, seconds: number) =>
    runRound(subject, options, loadOf(one, stand, subject, seconds));
  await run(pair.twin, options.warmUpSeconds);
  let served = (await run(pair.gateway, options.warmUpSeconds)).requests;
  for (let round = 0; round < options.rounds; round += 1) {
    twin.rounds.push(await run(pair.twin, options.seconds));
    gateway.rounds.push(await run(pair.gateway, options.seconds));
    served += gateway.rounds.at(-1)?.requests ?? 0;
  }
  gateway.rssBytes = usageOf(pair.gateway.pid).rssBytes;
  twin.rssBytes = usageOf(pair.twin.pid).rssBytes;
  return { gateway, twin, note: await checkWork(one, pair.gateway, served) };
}

/** The load of a case on one subject. */
export function loadOf(one: BenchCase, stand: Stand, subject: Subject, seconds: number): LoadOptions {
  return {
    origin: subject.origin,
    request: one.request,
    tokens: stand.tokens.slice(0, one.principals),
    connections: CONNECTIONS,
    seconds,
    core: stand.cores.others,
    folder: stand.folder,
  };
}

async function runRound(subject: Subject, { loadTool }: BenchOptions, options: LoadOptions): Promise<Round> {
  const before = usageOf(subject.pid);
  const result = await load(loadTool, options);
  const cpuUs = usageOf(subject.pid).cpuUs - before.cpuUs;
  if (result.failures > 0) throw new Error(`${result.failures} of ${result.requests} requests failed`);
  if (result.requests === 0) throw new Error('no request was answered');
  return { ...result, cpuUsPerRequest: cpuUs / result.requests };
}
