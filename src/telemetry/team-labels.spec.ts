import { describe, expect, it } from '@jest/globals';
import { Metrics } from './metrics.ts';

const page = async (metrics: Metrics): Promise<string> => String(await metrics.page('text'));

describe('TeamLabels', () => {
  it('says whose the series of routes and upstreams are, those that were counted before included', async () => {
    const metrics = new Metrics();
    metrics.forRoute('orders.list').observe('GET', 200, 1);
    metrics.forRoute('home').observe('GET', 200, 1);
    const before = await page(metrics);
    expect(before).not.toContain('team=');
    metrics.teams.use(() => ({ routes: new Map([['orders.list', 'orders']]), upstreams: new Map() }));
    const after = await page(metrics);
    expect(after).toContain(
      'gatehouse_requests_total{route="orders.list",method="GET",code="200",team="orders"} 1',
    );
    expect(after).toContain('gatehouse_requests_total{route="home",method="GET",code="200"} 1');
    metrics.teams.use(undefined);
    expect(await page(metrics)).not.toContain('team=');
  });

  it('leaves a series alone that says a team itself', () => {
    const { teams } = new Metrics();
    teams.use(() => ({ routes: new Map(), upstreams: new Map([['orders.db', 'orders']]) }));
    const of = (labels: Record<string, string>) => teams.labels([{ labels, value: 1 }])[0]?.labels;
    expect(of({ upstream: 'orders.db' })).toEqual({ upstream: 'orders.db', team: 'orders' });
    expect(of({ upstream: 'orders.db', team: 'x' })).toEqual({ upstream: 'orders.db', team: 'x' });
    expect(of({ upstream: 'shared' })).toEqual({ upstream: 'shared' });
  });
});
