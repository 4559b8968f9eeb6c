import { setTimeout as sleep } from 'node:timers/promises';
import type { Subject } from './children.ts';
import type { LoadOptions, LoadRequest, LoadResult } from './load.ts';

/** Somebody who is measured, by one kind of request. */
export interface Contender {
  readonly name: string;
  readonly subject: Subject;
  readonly request: LoadRequest;
}

/** One round of one of them. */
export interface Round {
  readonly cpuUs: number;
  readonly rps: number;
  readonly p50: number;
  readonly p99: number;
}

/** How it is measured. */
export interface RoundsOptions {
  readonly rounds: number;
  readonly roundMs: number;
  readonly connections: number;
  run(options: LoadOptions): Promise<LoadResult>;
}

/** Thrown when answers are none of success: that is not what anybody wants to measure. */
export class NoSuccess extends Error {
  readonly contender: string;
  readonly result: LoadResult;

  constructor(contender: string, result: LoadResult) {
    super(`${contender} does not answer with 2xx`);
    this.contender = contender;
    this.result = result;
  }
}

const PAUSE_MS = 50;

/**
 * Measures all in turn, again and again, so that a slow minute hits all of them; the first time warms up and does not count.
 *
 * @throws {NoSuccess} as soon as an answer is no 2xx.
 */
export async function measure(
  contenders: readonly Contender[],
  options: RoundsOptions,
): Promise<ReadonlyMap<string, readonly Round[]>> {
  const found = new Map<string, Round[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 0; round <= options.rounds; round += 1)
    for (const contender of contenders) {
      const one = await measured(contender, options);
      if (round > 0) found.get(contender.name)?.push(one);
    }
  return found;
}

async function measured({ name, subject, request }: Contender, options: RoundsOptions): Promise<Round> {
  const { connections, roundMs, run } = options;
  const before = await subject.cpuUs();
  const result = await run({ port: subject.port, request, connections, forMs: roundMs });
  const used = (await subject.cpuUs()) - before;
  const isSuccess = Object.keys(result.statuses).every((status) => status.startsWith('2'));
  if (!isSuccess || result.answers === 0) throw new NoSuccess(name, result);
  // What is left to do, such as lines of the log, is not the next one's.
  await sleep(PAUSE_MS);
  const { answers, tookMs, p50, p99 } = result;
  return { cpuUs: used / answers, rps: (answers / tookMs) * 1000, p50, p99 };
}

/** The one in the middle; of an even number the mean of two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? NaN;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? NaN) + upper) / 2 : upper;
}
