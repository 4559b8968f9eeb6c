import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** What a process tree has used up to now. */
export interface Usage {
  /** User and system time of all its threads, in microseconds. */
  readonly cpuUs: number;
  /** Resident memory, in bytes. */
  readonly rssBytes: number;
}

const HAS_PROC = existsSync('/proc/self/stat');
const ticksPerSecond = HAS_PROC ? setting('CLK_TCK', 100) : 100;
const pageBytes = HAS_PROC ? setting('PAGESIZE', 4096) : 4096;

/** Reads what a process and its living descendants have used. Exact to one clock tick, usually 10 ms. */
export function usageOf(pid: number): Usage {
  return HAS_PROC ? fromProc(pid) : fromPs(pid);
}

// Fields of proc(5): utime is the 14th, stime the 15th, cutime and cstime follow, rss is the 24th. The name, the
// second, may hold spaces and parentheses, so counting starts behind its last one.
function fromProc(pid: number): Usage {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + (fields[index] ?? 0), 0);
  let cpuUs = (ticks * 1e6) / ticksPerSecond;
  let rssBytes = (fields[21] ?? 0) * pageBytes;
  for (const child of childrenOf(pid)) {
    const usage = fromProc(child);
    cpuUs += usage.cpuUs;
    rssBytes += usage.rssBytes;
  }
  return { cpuUs, rssBytes };
}

/** The living children of a process; none where the system has no `/proc`. */
export function childrenOf(pid: number): number[] {
  if (!HAS_PROC) return [];
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    const children = readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').trim();
    return children === '' ? [] : children.split(' ').map(Number);
  });
}

/** How often the main thread of a process had to make room for another one; 0 where the system has no `/proc`. */
export function preemptionsOf(pid: number): number {
  if (!HAS_PROC) return 0;
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^nonvoluntary_ctxt_switches:\s+(\d+)/m.exec(text)?.[1]);
}

function fromPs(pid: number): Usage {
  const rows = execFileSync('ps', ['-axo', 'pid=,ppid=,rss=,time='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  const tree = new Set([pid]);
  // A parent is not always listed before its children.
  for (let before = 0; before !== tree.size;) {
    before = tree.size;
    for (const [id, parent] of rows) if (tree.has(Number(parent))) tree.add(Number(id));
  }
  const usage = { cpuUs: 0, rssBytes: 0 };
  for (const [id, , rssKb, time = ''] of rows) {
    if (!tree.has(Number(id))) continue;
    usage.cpuUs += clockUs(time);
    usage.rssBytes += Number(rssKb) * 1024;
  }
  return usage;
}

/** Reads `[[days-]hours:]minutes:seconds[.hundredths]`. */
function clockUs(time: string): number {
  const [days, clock] = time.includes('-') ? time.split('-') : ['0', time];
  const seconds = (clock ?? '').split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  return (Number(days) * 86_400 + seconds) * 1e6;
}

function setting(name: string, otherwise: number): number {
  try {
    return Number(execFileSync('getconf', [name], { encoding: 'utf8' })) || otherwise;
  } catch {
    return otherwise;
  }
}
