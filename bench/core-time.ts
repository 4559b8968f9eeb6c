import { readdirSync, readFileSync } from 'node:fs';
import { childrenOf } from './cpu.ts';

/** What threads of processes have done on a core up to now, in ms. */
export interface CoreTime {
  /** They ran. To the ns, where a clock tick is 10 ms. */
  readonly ranMs: number;
  /** They could have run, and somebody else did. */
  readonly waitedMs: number;
}

/** Reads it of all living threads of processes and of their children. @throws {Error} where there is no `/proc/<pid>/schedstat` (Linux). */
export function coreTimeOf(pids: readonly number[]): CoreTime {
  let [ranNs, waitedNs] = [0, 0];
  for (const pid of pids.flatMap(withChildren)) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const [ran = 0, waited = 0] = readStat(pid, thread);
      ranNs += ran;
      waitedNs += waited;
    }
  }
  return { ranMs: ranNs / 1e6, waitedMs: waitedNs / 1e6 };
}

/** How long the host has given the cores of this machine to others up to now, in ms, all cores together. */
export function stolenMs(): number {
  return readStolenMs(readFileSync('/proc/stat', 'utf8'));
}

/** Reads `steal` of proc_stat(5), in ticks of 10 ms. */
export function readStolenMs(text: string): number {
  const [, all = ''] = /^cpu +(.*)$/m.exec(text) ?? [];
  return 10 * (Number(all.split(' ')[7]) || 0);
}

/** What may happen in a round; fixed before anything is measured. Shares of the length of a round. */
const MOST = {
  /** Of one core. */
  stolen: 0.01,
  /** All measured threads together, also for each other. */
  waited: 0.1,
  /** Of requests that left late, of all requests. */
  late: 0.1,
} as const;

/** What is known of a round. */
export interface Disturbed {
  readonly ms: number;
  readonly stolenMs: number;
  readonly waitedMs: number;
  /** The share of its requests that left later than they were due. */
  readonly lateShare: number;
}

/** Whether a round says more about others than about who was measured. */
export function isSpoiled(round: Disturbed): boolean {
  return (
    round.stolenMs > MOST.stolen * round.ms ||
    round.waitedMs > MOST.waited * round.ms ||
    round.lateShare > MOST.late
  );
}

function withChildren(pid: number): number[] {
  return [pid, ...childrenOf(pid).flatMap(withChildren)];
}

// A thread that ends meanwhile has run for nothing that counts.
function readStat(pid: number, thread: string): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ').map(Number);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && thread !== String(pid)) return [];
    throw error;
  }
}
