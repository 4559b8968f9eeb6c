import { expect, it } from '@jest/globals';
import { createLogger } from '../../telemetry/logger.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { TargetWatch } from './target-watch.ts';
import { UpstreamRegistry } from '../upstream-registry.ts';
import { readConfig } from '../../config/config-reader.ts';
import { gatewaySchema } from '../../pipeline/actions.ts';

it('targets that come later stand in for those that were there before', async () => {
  const health = { active: { path: '/h', interval: '1h' }, passive: { failures: 2 } };
  const up = (ports: number[]) => ({ targets: ports.map((p) => `http://127.0.0.1:${p}`), health });
  const options = (a: number[]) =>
    readConfig(
      gatewaySchema,
      JSON.stringify({ version: 1, upstreams: { a: up(a), b: up([9]) } }),
      'x.yaml',
      {},
    ).value.upstreams;
  const metrics = new Metrics();
  const logger = createLogger('silent');
  const first = new UpstreamRegistry(options([1, 2]), logger, metrics);
  first.activate();
  for (const { health } of first.get('a').targets) if (health instanceof TargetWatch) health.probed('up', '');
  const second = new UpstreamRegistry(options([1, 2, 3]), logger, metrics, first);
  second.activate();
  const third = second.get('a').targets[2];
  // Others are well: it proves itself first.
  expect(third?.available).toBe(false);
  await second.close();
});
