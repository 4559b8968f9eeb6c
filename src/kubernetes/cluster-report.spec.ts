import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { FollowedCluster } from '../snapshot/followed-cluster.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { createLogger } from '../telemetry/logger.ts';
import { LogLines } from '../testing/log-lines.ts';
import { ClusterReport } from './cluster-report.ts';
import { resourceOf } from './resource.ts';

const PLACE = { kind: 'HTTPRoute', title: 'httproutes' } as const;
const CLUSTER: FollowedCluster = {
  controller: 'c',
  routes: 0,
  maxRoutes: 1,
  objects: [],
  watches: [
    { kind: 'Gateway', title: 'gateways', state: 'failing', objects: 1, ageMs: 10 },
    { kind: 'Secret', title: 'secrets', state: 'stale', objects: 1, ageMs: 1234.5, why: 'refused' },
  ],
};

describe('ClusterReport', () => {
  let log: LogLines;
  let metrics: Metrics;
  let report: ClusterReport;

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    log = new LogLines(Infinity);
    metrics = new Metrics();
    report = new ClusterReport({ logger: createLogger('info', log), metrics, read: () => CLUSTER });
  });

  afterEach(() => {
    report.close();
    jest.useRealTimers();
  });

  it('says that a kind is lost, on all ways, and that it is back', async () => {
    report.lost(PLACE, 7);
    report.found(PLACE);
    expect(log.lines).toMatchObject([
      { level: 50, what: 'httproutes', objects: 7 },
      { level: 30, what: 'httproutes' },
    ]);
    expect(metrics.changes.since(0)).toMatchObject([
      { kind: 'discovery', text: 'the cluster has no httproutes any more' },
    ]);
    expect((await metrics.page('text')).toString()).toContain(
      'gatehouse_kubernetes_kinds_lost_total{kind="HTTPRoute"} 1',
    );
  });

  it('tells a remark once for as long as it holds', () => {
    const of = resourceOf('Ingress', { metadata: { name: 'a', namespace: 'b' } });
    const remark = { of, message: 'bad' };
    report.remark([remark]);
    report.remark([remark, { message: 'more' }]);
    report.remark([]);
    report.remark([remark]);
    expect(log.lines.map((line) => line['remark'])).toEqual(['Ingress b/a: bad', 'more', 'Ingress b/a: bad']);
  });

  it('warns again and again of what has not been heard for long, and of nothing else', () => {
    jest.advanceTimersByTime(60_000);
    expect(log.lines).toMatchObject([
      { what: 'secrets', ageMs: 1235, why: 'refused' },
      { what: 'secrets', ageMs: 1235, why: 'refused' },
    ]);
  });
});
