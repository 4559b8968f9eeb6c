import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { grownMs, isSpoiled, ranMsOf, stolenMs, strangersOf } from './core-time.ts';
import type { PacedOrder, PacedOutcome } from './paced-load.ts';
import type { CostRound } from './paired.ts';

/** A configuration that takes its turn with others: which processes are measured, under which load. */
export interface Turn {
  /** For messages. */
  readonly title: string;
  readonly pids: readonly number[];
  readonly load: Omit<PacedOrder, 'seconds'>;
}

/** A round of a configuration. */
export interface TurnRound extends CostRound {
  readonly requests: number;
}

/** Has a process that makes the load carry out one order after the other. */
export class Pacer {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  /** @param child runs `paced-load-process.ts`, with pipes for standard input and output. */
  constructor(child: ChildProcess) {
    if (child.stdin === null || child.stdout === null) throw new Error('the load needs pipes');
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  }

  /** @throws {Error} when the process has ended, or a request failed. */
  async run(order: PacedOrder): Promise<PacedOutcome> {
    this.#child.stdin?.write(`${JSON.stringify(order)}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('the process that makes the load has ended');
    const outcome = JSON.parse(value) as PacedOutcome;
    if (outcome.failures === 0) return outcome;
    throw new Error(
      `${order.origin}${order.path}: ${outcome.failures} of ${outcome.requests} requests failed`,
    );
  }

  /** Ends the process. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await ended;
  }
}

/** How turns are taken. */
export interface TurnOptions {
  readonly pacer: Pacer;
  readonly seconds: number;
  /** Of each configuration; two of them are a block. */
  readonly rounds: number;
  /** Called around each round, with its length in ms. */
  readonly around?: (turn: Turn, round: () => Promise<TurnRound>) => Promise<TurnRound>;
}

/**
 * Has configurations take turns, block by block, each forwards and then backwards (A B C C B A), the next block beginning with the
 * next of them: nobody always follows the same one.
 *
 * @returns the rounds of each, in their order.
 */
export async function takeTurns(
  turns: readonly Turn[],
  options: TurnOptions,
): Promise<Map<Turn, TurnRound[]>> {
  const found = new Map<Turn, TurnRound[]>(turns.map((turn) => [turn, []]));
  const { around = (_turn, round) => round() } = options;
  for (let block = 0; block < Math.floor(options.rounds / 2); block += 1) {
    for (const turn of orderOf(turns, block))
      found.get(turn)?.push(await around(turn, () => roundOf(turn, options)));
  }
  return found;
}

/** The order of a block. */
export function orderOf<T>(turns: readonly T[], block: number): readonly T[] {
  const first = block % Math.max(1, turns.length);
  const forwards = [...turns.slice(first), ...turns.slice(0, first)];
  return [...forwards, ...forwards.toReversed()];
}

async function roundOf({ pids, load }: Turn, { pacer, seconds }: TurnOptions): Promise<TurnRound> {
  const [strangers, stolenBefore] = [strangersOf(process.pid), stolenMs()];
  const [before, beganAt] = [ranMsOf(pids), performance.now()];
  const { requests, late } = await pacer.run({ ...load, seconds });
  const ranMs = ranMsOf(pids) - before;
  const ms = performance.now() - beganAt;
  return {
    requests,
    cost: (1000 * ranMs) / requests,
    isSpoiled: isSpoiled({
      ms,
      stolenMs: stolenMs() - stolenBefore,
      strangersMs: grownMs(strangers, strangersOf(process.pid)),
      lateShare: late / requests,
    }),
  };
}
