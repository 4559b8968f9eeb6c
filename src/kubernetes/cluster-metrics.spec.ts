import { describe, expect, it } from '@jest/globals';
import { Metrics } from '../telemetry/metrics.ts';
import { ClusterMetrics } from './cluster-metrics.ts';

const VERDICT = { namespace: 'a', generation: 1 } as const;

async function linesOf(isLeader?: boolean): Promise<readonly string[]> {
  const metrics = new Metrics();
  const counts = new ClusterMetrics(metrics.registry, () => ({
    controller: 'c',
    ...(isLeader !== undefined && { isLeader }),
    routes: 3,
    maxRoutes: 10,
    watches: [
      { kind: 'Gateway', title: '', state: 'followed', objects: 2, ageMs: 0 },
      { kind: 'Secret', namespace: 'a', title: '', state: 'failing', objects: 5, ageMs: 1500, why: 'x' },
      { kind: 'GRPCRoute', title: '', state: 'absent', objects: 0, ageMs: 0 },
    ],
    objects: [
      { kind: 'Gateway', name: 'a', state: 'served', ...VERDICT },
      { kind: 'Gateway', name: 'b', state: 'refused', ...VERDICT },
    ],
  }));
  counts.failed('Secret');
  counts.lost('GRPCRoute');
  counts.wrote('conflict');
  const page = (await metrics.page('text')).toString();
  return page.split('\n').filter((line) => line.startsWith('gatehouse_kubernetes'));
}

describe('ClusterMetrics', () => {
  it('shows watches, objects, writes and the leader', async () => {
    expect(await linesOf(true)).toEqual([
      'gatehouse_kubernetes_watch_failures_total{kind="Secret"} 1',
      'gatehouse_kubernetes_kinds_lost_total{kind="GRPCRoute"} 1',
      'gatehouse_kubernetes_status_writes_total{outcome="written"} 0',
      'gatehouse_kubernetes_status_writes_total{outcome="conflict"} 1',
      'gatehouse_kubernetes_status_writes_total{outcome="failed"} 0',
      'gatehouse_kubernetes_watch_up{kind="Gateway",namespace=""} 1',
      'gatehouse_kubernetes_watch_up{kind="Secret",namespace="a"} 0',
      'gatehouse_kubernetes_watch_up{kind="GRPCRoute",namespace=""} 1',
      'gatehouse_kubernetes_watch_age_seconds{kind="Gateway",namespace=""} 0',
      'gatehouse_kubernetes_watch_age_seconds{kind="Secret",namespace="a"} 1.5',
      'gatehouse_kubernetes_watch_age_seconds{kind="GRPCRoute",namespace=""} 0',
      'gatehouse_kubernetes_watch_objects{kind="Gateway",namespace=""} 2',
      'gatehouse_kubernetes_watch_objects{kind="Secret",namespace="a"} 5',
      'gatehouse_kubernetes_watch_objects{kind="GRPCRoute",namespace=""} 0',
      'gatehouse_kubernetes_objects{kind="Gateway",state="served"} 1',
      'gatehouse_kubernetes_objects{kind="Gateway",state="refused"} 1',
      'gatehouse_kubernetes_routes 3',
      'gatehouse_kubernetes_leader 1',
    ]);
  });

  it('shows no leader where no status is written', async () => {
    expect((await linesOf()).filter((line) => line.includes('leader'))).toEqual([]);
    expect(await linesOf(false)).toContain('gatehouse_kubernetes_leader 0');
  });
});
