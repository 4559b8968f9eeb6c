/**
 * Targets, registries and Redis fail under steady load: `npm run chaos`. It ends with a line for each promise, and with 1
 * when one was broken. See README.md in this folder.
 *
 * @module
 */
import { chooseCores } from '../machine.ts';
import { runLane, type Scenario } from './lane.ts';
import { allDown } from './scenarios/all-down.ts';
import { canaries } from './scenarios/canary.ts';
import { MISFORTUNES, oneOfThree } from './scenarios/one-of-three.ts';
import { dnsChange, registryOutage } from './scenarios/registries.ts';
import { AILMENTS, redisIll } from './scenarios/redis.ts';
import { replicas } from './scenarios/replicas.ts';
import type { World } from './world.ts';

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

await runLane({ name: 'chaos', scenarios: SCENARIOS, cores: chooseCores() });
