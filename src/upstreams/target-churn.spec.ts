import { expect, it } from '@jest/globals';
import { createLogger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { Lease } from './lease.ts';
import { UpstreamRegistry } from './upstream-registry.ts';
import { upstreamSchema, type UpstreamOptions } from './upstream.schema.ts';

const ROUNDS = 100;
const targetOf = (round: number) => ({
  url: `http://10.0.${round >> 8}.${round & 255}:80`,
  weight: 1,
  labels: {},
  priority: 0,
});
const turn = () => new Promise((resolve) => setImmediate(resolve));

it('shows no more series after many addresses have come and gone, whatever became of their last calls', async () => {
  const metrics = new Metrics();
  const options = upstreamSchema.parse({
    targets: ['http://10.0.0.0:80', 'http://10.255.0.0:80'],
    circuitBreaker: { consecutiveFailures: 3, openFor: '1h' },
    health: { active: { path: '/', interval: '1h' }, passive: { failures: 1, ejectFor: '1h' } },
  }) as UpstreamOptions;
  const logger = createLogger('silent', { write() {} });
  const registry = new UpstreamRegistry({ users: options }, logger, metrics);
  registry.activate();
  const users = registry.get('users');
  const stays = { ...targetOf(0), url: 'http://10.255.0.0:80' };
  const series = async (): Promise<number> =>
    (await metrics.registry.metrics()).split('\n').filter((line) => line.startsWith('gatehouse_')).length;
  const before = await series();
  for (let round = 1; round <= ROUNDS; round += 1) {
    const gone = users.targets.find(({ host }) => host !== '10.255.0.0:80');
    const [early, late] = gone === undefined ? [] : [new Lease(gone), new Lease(gone)];
    // It is ejected, or its breaker opens, before it is gone, in the same moment, or after that.
    if (round % 3 === 0) early?.release('failure');
    users.replace([targetOf(round), stays]);
    early?.release('failure');
    late?.release(round % 2 === 0 ? 'failure' : 'success');
    await turn();
  }
  await turn();
  expect(users.targets).toHaveLength(2);
  const shown = await metrics.registry.metrics();
  expect(shown).not.toMatch(/target="10\.0\.0\.(?!100:)\d+:80"/);
  expect(await series()).toBe(before);
  await registry.close();
});
