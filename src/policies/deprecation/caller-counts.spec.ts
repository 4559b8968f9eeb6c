import { expect, it } from '@jest/globals';
import { createPrincipal } from '../../../test/support/exchange.ts';
import type { Principal } from '../../exchange/principal.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { CallerCounts } from './caller-counts.ts';

const principal = (id: string): Principal => createPrincipal(id, { issuer: 'https://id.example.com' });

it('names 100 callers of a version, counts the rest together, and forgets routes that are gone', async () => {
  const metrics = new Metrics();
  const counts = new CallerCounts(metrics);
  for (let turn = 0; turn < 2; turn += 1)
    for (let one = 0; one <= 101; one += 1) counts.count('users.v1', 'v1', principal(`u${one}`));
  counts.count('users.v1', 'v1', undefined);
  counts.count('users.v1', 'v1', principal(`a\nb${'x'.repeat(200)}`));
  counts.count('other', '', principal('u0'));
  const said = await metrics.registry.metrics();
  const series = said.split('\n').filter((line) => line.startsWith('gatehouse_deprecated_requests_total{'));
  expect(series).toHaveLength(103);
  expect(said).toContain('_requests_total{route="users.v1",version="v1",principal="u99"} 2');
  expect(said).toContain('_requests_total{route="users.v1",version="v1",principal="other"} 5');
  expect(said).toContain('_requests_total{route="users.v1",version="v1",principal="none"} 1');
  expect(said).toContain('gatehouse_deprecated_principals{route="users.v1",version="v1"} 103');
  metrics.forgetRoutes(new Set(['users.v1']));
  const left = await metrics.registry.metrics();
  expect(left).not.toContain('users.v1');
  expect(left).toContain('_requests_total{route="other",version="",principal="u0"} 1');
});

it('tells 10000 principals apart and no more', async () => {
  const metrics = new Metrics();
  const counts = new CallerCounts(metrics);
  for (let one = 0; one <= 10_000; one += 1) counts.count('r', '', principal(`u${one}`));
  expect(await metrics.registry.metrics()).toContain(
    'gatehouse_deprecated_principals{route="r",version=""} 10000',
  );
});
