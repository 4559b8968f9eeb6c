import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { cpus, totalmem, type } from 'node:os';
import { delimiter, join } from 'node:path';

/** Which core runs what is measured, and which runs everything else; undefined where processes cannot be pinned. */
export interface Cores {
  readonly measured: number | undefined;
  readonly others: number | undefined;
}

/** Finds a command on PATH. */
export function onPath(command: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const candidate = join(folder || '.', command);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** The first two cores that this process may use, provided that there is a way to pin processes to them. */
export function chooseCores(): Cores {
  const [measured, others] = allowedCores();
  const works = measured !== undefined && spawnSync('taskset', ['-c', String(measured), 'true']).status === 0;
  return works && others !== undefined ? { measured, others } : { measured: undefined, others: undefined };
}

// A container may be given cores 4 and 5 only.
function allowedCores(): number[] {
  if (!existsSync('/proc/self/status')) return [];
  const list = /Cpus_allowed_list:\s*(\S+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  return list.split(',').flatMap((range) => {
    const [first = NaN, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** One line about the machine, for the table. */
export function describeMachine(loadTool: string, cores: Cores): string {
  const [cpu] = cpus();
  const pinned =
    cores.measured === undefined
      ? 'not pinned'
      : `measured on core ${cores.measured}, services and load on core ${String(cores.others)}`;
  return [
    cpu?.model.trim() ?? 'unknown CPU',
    `${cpus().length} cores`,
    `${Math.round(totalmem() / 2 ** 30)} GiB`,
    `${type()}`,
    `Node ${process.versions.node}`,
    loadTool,
    pinned,
  ].join(' · ');
}
