import { readdirSync, readFileSync } from 'node:fs';
import { childrenOf } from './cpu.ts';

const TICK_MS = 10;

/**
 * How long all living threads of processes and of their children have run up to now, in ms: to the ns, where a clock tick is 10 ms.
 *
 * @throws {Error} where there is no `/proc/<pid>/schedstat` (Linux).
 */
export function ranMsOf(pids: readonly number[]): number {
  let ranNs = 0;
  for (const pid of pids.flatMap(withChildren)) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const text = readIfThere(`/proc/${pid}/task/${thread}/schedstat`);
      // A thread that ends meanwhile has run for nothing that counts; a process that is gone is a mistake.
      if (text === undefined && thread === String(pid)) throw new Error(`process ${pid} has ended`);
      ranNs += Number(text?.split(' ')[0] ?? 0);
    }
  }
  return ranNs / 1e6;
}

/** How long the host has given the cores of this machine to others up to now, in ms, all cores together. */
export function stolenMs(): number {
  return readStolenMs(readFileSync('/proc/stat', 'utf8'));
}

/** Reads `steal` of proc_stat(5). */
export function readStolenMs(text: string): number {
  const [, all = ''] = /^cpu +(.*)$/m.exec(text) ?? [];
  return TICK_MS * (Number(all.split(' ')[7]) || 0);
}

/** How long each process on this machine has run up to now, in ms, but for one and its descendants. */
export function strangersOf(pid: number): ReadonlyMap<number, number> {
  const own = new Set(withChildren(pid));
  const all = readdirSync('/proc').map(Number).filter((one) => one > 0 && !own.has(one)); // prettier-ignore
  return new Map(all.map((one) => [one, ticksIn(readIfThere(`/proc/${one}/stat`) ?? '') * TICK_MS]));
}

/** How long strangers have run between two looks, in ms. */
export function grownMs(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>): number {
  let ms = 0;
  for (const [pid, ran] of after) ms += Math.max(0, ran - (before.get(pid) ?? 0));
  return ms;
}

/** What may happen in a round; fixed before anything is measured. */
const MOST = {
  /** Shares of one core, for the length of the round. */
  stolen: 0.01,
  strangers: 0.05,
  /** Of requests that left late, of all requests. */
  late: 0.1,
} as const;

/** What is known of a round. */
export interface Disturbed {
  readonly ms: number;
  readonly stolenMs: number;
  /** How long processes have run that are none of the bench's. */
  readonly strangersMs: number;
  /** The share of its requests that left later than they were due. */
  readonly lateShare: number;
}

/** Whether a round says more about others than about who was measured. */
export function isSpoiled(round: Disturbed): boolean {
  return (
    round.stolenMs > MOST.stolen * round.ms ||
    round.strangersMs > MOST.strangers * round.ms ||
    round.lateShare > MOST.late
  );
}

function withChildren(pid: number): number[] {
  return [pid, ...livingChildrenOf(pid).flatMap(withChildren)];
}

function livingChildrenOf(pid: number): number[] {
  try {
    return childrenOf(pid);
  } catch {
    // It has ended meanwhile.
    return [];
  }
}

// `utime` and `stime` of proc_pid_stat(5); the name before them may hold spaces and parentheses.
function ticksIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
