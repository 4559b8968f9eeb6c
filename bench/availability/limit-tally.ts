import { setTimeout as sleep } from 'node:timers/promises';
import { kindsOf, textOf, type Outcome } from '../chaos/report.ts';
import { readMetrics, sumOf } from '../metrics.ts';
import type { Subject } from '../stand.ts';
import type { Seen } from '../steady-load.ts';
import type { Fleet } from './fleet.ts';

/** Below what a load asks for, so that the limit is what is seen. */
export const LIMIT = { key: 'global', rate: 10, per: '1s', burst: 10, onStoreError: 'local' } as const;
const LOOK_EVERY_MS = 250;

interface Count {
  readonly switches: number;
  readonly late: number;
}

/** Why replicas may have let pass more than a limit says, counted also for those that have ended since. */
export class LimitTally {
  readonly #counts = new Map<Subject, Count>();
  readonly #fleet: Fleet;
  #isOver = false;
  #running: Promise<void> = Promise.resolve();

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  start(): this {
    this.#running = this.#look();
    return this;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  /** How often a replica has given Redis up or used it again, and calls of limits that came to nothing. */
  get sum(): Count {
    const all = [...this.#counts.values()];
    const sum = (name: keyof Count): number => all.reduce((total, one) => total + one[name], 0);
    return { switches: sum('switches'), late: sum('late') };
  }

  async #look(): Promise<void> {
    while (!this.#isOver) {
      await Promise.all(this.#fleet.subjects.map((subject) => this.#read(subject)));
      await sleep(LOOK_EVERY_MS);
    }
  }

  async #read(subject: Subject): Promise<void> {
    // One that has just ended says nothing any more; what it said last counts.
    const metrics = await readMetrics(subject.adminOrigin).catch(() => undefined);
    if (metrics === undefined || subject.child.exitCode !== null) return;
    const switches = (use: string): number =>
      sumOf(metrics, 'gatehouse_store_switches_total', `use="${use}"`);
    this.#counts.set(subject, {
      switches: switches('limits') + switches('connection'),
      late: sumOf(metrics, 'gatehouse_store_failures_total', 'use="limits"'),
    });
  }
}

/** What may be let pass beyond rate and burst, by docs/redis.md. */
export interface Excuses {
  /** Times that a whole bucket may have been full once more. */
  readonly bursts: number;
  /** How long some replicas counted by themselves while others went by Redis, in ms. */
  readonly apartMs: number;
  /** Calls to Redis that were late, or came to nothing. */
  readonly late: number;
}

/** That a limit and what is documented beyond it were not exceeded, and that nothing else came than what limits answer. */
export function limitKept(
  seen: readonly Seen[],
  { rate, burst }: { readonly rate: number; readonly burst: number },
  { bursts, apartMs, late }: Excuses,
): readonly Outcome[] {
  const { 200: admitted = 0, '429 rate-limited': limited = 0, ...others } = kindsOf(seen);
  const due = seen.map(({ dueAt }) => dueAt);
  const ended = seen.map(({ dueAt, ms }) => dueAt + ms);
  const seconds = (Math.max(...ended) - Math.min(...due)) / 1000;
  const most = rate * (seconds + apartMs / 1000) + burst * (1 + bursts) + late;
  return [
    {
      kept: Object.keys(others).length === 0,
      line: `with a limit all are served or over it: ${seen.length} requests, others: ${textOf(others)}`,
    },
    {
      kept: limited > 0 && admitted > 0 && admitted <= most,
      line: `admitted ${admitted} in ${seconds.toFixed(1)} s, at most ${most.toFixed(0)}: by the rate ${(rate * seconds).toFixed(0)}, ${1 + bursts} bursts, ${(apartMs / 1000).toFixed(1)} s apart, ${late} late calls`,
    },
  ];
}
