import { spawnSync } from 'node:child_process';

/** What promtool says to a command. */
export interface PromtoolAnswer {
  readonly status: number | null;
  /** Both of its streams; empty where it has nothing to find fault with. */
  readonly said: string;
}

/** Runs promtool, which `scripts/ensure-promtool.ts` has seen to. */
export function promtool(args: readonly string[], input = ''): PromtoolAnswer {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { input, encoding: 'utf8' });
  if (error !== undefined) throw new Error('promtool is not there: run node scripts/ensure-promtool.ts');
  return { status, said: `${stdout}${stderr}`.trim() };
}
