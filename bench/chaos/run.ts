/**
 * Targets, registries and Redis fail under steady load: `npm run chaos`. It ends with a line for each promise, and with 1
 * when one was broken. See README.md in this folder.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { randomFrom } from '../../test/support/random.ts';
import { chooseCores } from '../machine.ts';
import { Stand } from '../stand.ts';
import { renderSeen, type ScenarioResult } from './report.ts';
import { allDown } from './scenarios/all-down.ts';
import { canaries } from './scenarios/canary.ts';
import { MISFORTUNES, oneOfThree } from './scenarios/one-of-three.ts';
import { dnsChange, registryOutage } from './scenarios/registries.ts';
import { AILMENTS, redisIll } from './scenarios/redis.ts';
import { replicas } from './scenarios/replicas.ts';
import { World } from './world.ts';

type Scenario = (world: World) => Promise<ScenarioResult>;

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  ...Object.fromEntries(
    Object.entries(MISFORTUNES).map(([name, one]) => [name, (world: World) => oneOfThree(world, one)]),
  ),
  'dns-change': dnsChange,
  'registry-outage': registryOutage,
  'all-down': allDown,
  replicas,
  canary: canaries,
  ...Object.fromEntries(
    Object.entries(AILMENTS).map(([name, one]) => [name, (world: World) => redisIll(world, one)]),
  ),
};

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
    /** Names of scenarios. */
    only: { type: 'string', multiple: true, default: [] },
  },
});
const unknown = values.only.filter((name) => !(name in SCENARIOS));
if (unknown.length > 0) {
  console.error(`chaos: no scenario ${unknown.join(', ')}; there are ${Object.keys(SCENARIOS).join(', ')}`);
  process.exit(2);
}
const stand = new Stand(chooseCores());
process.once('SIGINT', () => void stand.close().then(() => process.exit(130)));
try {
  process.exitCode = (await all(Number(values.seed))) ? 0 : 1;
} finally {
  await stand.close();
}

async function all(seed: number): Promise<boolean> {
  console.log(`seed ${seed}`);
  const results: [string, ScenarioResult][] = [];
  for (const [index, [name, run]] of Object.entries(SCENARIOS).entries()) {
    if (values.only.length > 0 && !values.only.includes(name)) continue;
    // Each is the same for the same seed, whichever others run.
    const result = await attempt(run, new World(stand, randomFrom(seed * 100 + index)));
    for (const { kept, line } of result.outcomes)
      console.log(`${kept ? 'kept  ' : 'BROKEN'} ${name}: ${line}`);
    results.push([name, result]);
  }
  console.log(`\n${renderSeen(results)}\n\nseed ${seed}`);
  return results.every(([, { outcomes }]) => outcomes.every(({ kept }) => kept));
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
