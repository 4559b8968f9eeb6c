import { tokensOf, type BenchCase, type Work } from './cases.ts';
import { checkSameAnswer, checkWork, originOf } from './checks.ts';
import { stopChild } from './children.ts';
import { usageOf } from './cpu.ts';
import { load, type LoadOptions, type LoadResult } from './load.ts';
import type { BenchOptions } from './options.ts';
import type { Stand, Subject, Subjects } from './stand.ts';
import { callsUnderLoad, countCalls, totalsOf } from './upstream-calls.ts';

/** Connections that the load tool keeps open. */
export const CONNECTIONS = 64;

/** Rounds of warming up, at most. */
const MOST_WARM_UPS = 5;
/** A round below this share of the one before says that the program is still being compiled. */
const STILL_WARMING = 0.95;

/** One round of one subject. */
export interface Round extends LoadResult {
  readonly cpuUsPerRequest: number;
}

/** All rounds of one subject. */
export interface Series {
  readonly rounds: Round[];
  /** Answered requests, those of the warm-up included. */
  requests: number;
  rssBytes: number;
  /** Calls to the services per request: of the gateway under load by its metrics, of others by the services' count. */
  upstreamCalls: number;
}

/** All sides of a case. */
export interface Comparison {
  readonly gateway: Series;
  readonly twin: Series;
  /** In the order of the case. */
  readonly peers: readonly Series[];
  /** What a reader of the numbers should know. */
  readonly note: string | undefined;
}

/** What a case came to. */
export type CaseResult =
  | { readonly case: BenchCase; readonly skipped: string }
  | { readonly case: BenchCase; readonly failed: string }
  | ({ readonly case: BenchCase } & Comparison);

/** Measures one case: all sides in turn, round by round, so that a slow minute hits all of them. */
export async function measure(one: BenchCase, stand: Stand, options: BenchOptions): Promise<CaseResult> {
  if (one.needsRedis && stand.redisUrl === undefined)
    return { case: one, skipped: 'there is no redis-server' };
  const started: Subject[] = [];
  const start = async (starting: Promise<Subject>): Promise<Subject> => {
    const subject = await starting;
    started.push(subject);
    return subject;
  };
  try {
    const peers: Subject[] = [];
    for (const { file } of one.peers ?? []) peers.push(await start(stand.startTwin(file)));
    const { baseline } = one;
    const twin = await start(
      baseline === undefined ? stand.startTwin(one.twin) : stand.startGateway({ ...one, ...baseline }),
    );
    const gateway = await start(stand.startGateway(one));
    return { case: one, ...(await compare(one, stand, options, { gateway, twin, peers })) };
  } catch (error) {
    return { case: one, failed: (error as Error).message };
  } finally {
    await Promise.all(started.map(({ child }) => stopChild(child)));
  }
}

/** One of those that are compared, and what was measured of it. */
interface Side {
  readonly subject: Subject;
  readonly series: Series;
}

async function compare(
  one: BenchCase,
  stand: Stand,
  options: BenchOptions,
  subjects: Subjects,
): Promise<Comparison> {
  const [token] = tokensOf(one, stand.tokens);
  await checkSameAnswer(one, subjects, token);
  const [gateway, twin] = [sideOf(subjects.gateway), sideOf(subjects.twin)];
  const peers = subjects.peers.map(sideOf);
  // The bare twin right before the gateway: the ratio that matters most is of neighbors in time.
  const sides = [...peers, twin, gateway];
  const run = async ({ subject, series }: Side, seconds: number): Promise<Round> => {
    const round = await runRound(subject, options, loadOf(one, stand, subject, seconds));
    series.requests += round.requests;
    return round;
  };
  for (const { subject, series } of sides) series.upstreamCalls = await countCalls(one, stand, subject);
  for (const side of sides) await warmUp(() => run(side, options.warmUpSeconds));
  const before = await totalsOf(one, gateway.subject);
  for (let round = 0; round < options.rounds; round += 1) {
    for (const side of sides) side.series.rounds.push(await run(side, options.seconds));
  }
  for (const { subject, series } of sides) series.rssBytes = usageOf(subject.pid).rssBytes;
  gateway.series.upstreamCalls = callsUnderLoad(one, before, await totalsOf(one, gateway.subject));
  const note = await checkWork(one, gateway.subject, gateway.series.requests);
  return { gateway: gateway.series, twin: twin.series, peers: peers.map(({ series }) => series), note };
}

/** Runs rounds until one is no cheaper than the one before: large programs take longer to be compiled than small ones. */
export async function warmUp(run: () => Promise<Pick<Round, 'cpuUsPerRequest'>>): Promise<void> {
  let last = Infinity;
  for (let round = 0; round < MOST_WARM_UPS; round += 1) {
    const { cpuUsPerRequest } = await run();
    if (cpuUsPerRequest > last * STILL_WARMING) return;
    last = cpuUsPerRequest;
  }
}

function sideOf(subject: Subject): Side {
  return { subject, series: { rounds: [], requests: 0, rssBytes: 0, upstreamCalls: 0 } };
}

/** The load of a case on one subject. */
export function loadOf(one: Work, stand: Stand, subject: Subject, seconds: number): LoadOptions {
  return {
    origin: originOf(one, subject),
    isHttp2: one.over === 'h2',
    request: one.request,
    tokens: tokensOf(one, stand.tokens),
    connections: CONNECTIONS,
    seconds,
    core: stand.cores.others,
    folder: stand.folder,
  };
}

/**
 * One round of load on one subject.
 *
 * @throws {Error} when a request failed, or none was answered.
 */
export async function runRound(
  subject: Subject,
  { loadTool }: Pick<BenchOptions, 'loadTool'>,
  options: LoadOptions,
): Promise<Round> {
  const before = usageOf(subject.pid);
  const result = await load(loadTool, options);
  const cpuUs = usageOf(subject.pid).cpuUs - before.cpuUs;
  if (result.failures > 0)
    throw new Error(`${subject.name}: ${result.failures} of ${result.requests} requests failed`);
  if (result.requests === 0) throw new Error(`${subject.name}: no request was answered`);
  return { ...result, cpuUsPerRequest: cpuUs / result.requests };
}
