import { parseArgs } from 'node:util';
import { randomFrom } from '../../test/support/random.ts';
import type { Cores } from '../machine.ts';
import { Stand } from '../stand.ts';
import { Lateness } from './lateness.ts';
import { renderSeen, type ScenarioResult } from './report.ts';
import { World } from './world.ts';

/** One scenario, from its start to what came of it. */
export type Scenario = (world: World) => Promise<ScenarioResult>;

/** Scenarios by name, in their order. */
export interface Lane {
  /** For messages. */
  readonly name: string;
  readonly scenarios: Readonly<Record<string, Scenario>>;
  readonly cores: Cores;
}

/**
 * Runs the scenarios that the command line names by `--only`, or all, with the `--seed` that it gives, or any. Prints a line
 * for each promise and a table; the exit code is 1 when a promise was broken, and 2 for a name that no scenario has.
 */
export async function runLane({ name: lane, scenarios, cores }: Lane): Promise<void> {
  const { only, seed } = readArguments();
  const unknown = only.filter((name) => !(name in scenarios));
  if (unknown.length > 0) {
    const known = Object.keys(scenarios).join(', ');
    console.error(`${lane}: no scenario ${unknown.join(', ')}; there are ${known}`);
    process.exit(2);
  }
  const stand = new Stand(cores);
  const lateness = new Lateness().start();
  process.once('SIGINT', () => void stand.close().then(() => process.exit(130)));
  try {
    console.log(`seed ${seed}`);
    const results: [string, ScenarioResult][] = [];
    for (const [index, [name, run]] of Object.entries(scenarios).entries()) {
      if (only.length > 0 && !only.includes(name)) continue;
      // Each is the same for the same seed, whichever others run.
      const result = await attempt(run, new World(stand, randomFrom(seed * 100 + index), lateness));
      for (const { kept, line } of result.outcomes)
        console.log(`${kept ? 'kept  ' : 'BROKEN'} ${name}: ${line}`);
      results.push([name, result]);
    }
    console.log(`\n${renderSeen(results)}\n\nseed ${seed}`);
    process.exitCode = results.every(([, { outcomes }]) => outcomes.every(({ kept }) => kept)) ? 0 : 1;
  } finally {
    lateness.stop();
    await stand.close();
  }
}

function readArguments(): { readonly only: readonly string[]; readonly seed: number } {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
      /** Names of scenarios. */
      only: { type: 'string', multiple: true, default: [] },
    },
  });
  return { only: values.only, seed: Number(values.seed) };
}

async function attempt(run: Scenario, world: World): Promise<ScenarioResult> {
  try {
    return await run(world);
  } catch (error) {
    return { parts: [], outcomes: [{ kept: false, line: `did not run: ${String(error)}` }] };
  } finally {
    await world.close();
  }
}
