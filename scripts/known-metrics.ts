// oxlint-disable typescript/no-non-null-assertion -- a class that is not there any more throws, which is what should be

import type { Registry } from 'prom-client';
import { built } from './built.ts';

/** A metric that a gateway can have. */
export interface KnownMetric {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}

/** What makes metrics needs of a gateway. */
interface World {
  readonly metrics: { readonly registry: Registry } & Record<string, never>;
  readonly logger: object;
}

type Room = Record<
  string,
  new (...args: readonly unknown[]) => Record<string, (...args: readonly unknown[]) => unknown>
>;

/** Who makes metrics, by file; those of the room `telemetry` come with {@link World.metrics}. A spec finds who is missing. */
export const METRIC_SOURCES: Readonly<Record<string, (room: Room, world: World) => unknown>> = {
  'upstreams/discovery/discovery-metrics': ({ DiscoveryMetrics }, { metrics }) =>
    new DiscoveryMetrics!(metrics.registry, () => []),
  'kubernetes/cluster-metrics': ({ ClusterMetrics }, { metrics }) =>
    new ClusterMetrics!(metrics.registry, () => []),
  'upstreams/overrides/target-overrides': ({ TargetOverrides }, { metrics, logger }) =>
    new TargetOverrides!(logger, metrics),
  'policies/deprecation/caller-counts': ({ CallerCounts }, { metrics }) => new CallerCounts!(metrics),
  'policies/rate-limit/limiter-tally': ({ LimiterTally, showTally }, { metrics }) =>
    (showTally as unknown as (...all: readonly object[]) => unknown)(
      new LimiterTally!(),
      { leased: () => 0, kept: () => 0 },
      metrics,
    ),
  'policies/cache/cache-metrics': ({ CacheMetrics }, { metrics }) => new CacheMetrics!(metrics, {}),
  'policies/authentication/revocation/revocation-report': ({ RevocationReport }, { metrics }) =>
    new RevocationReport!({ metrics }, {})['begin']!(),
  'policies/authentication/damping/damping': ({ Damping }, { metrics }) =>
    new Damping!({ metrics })['with']!({ failures: 1, window: 1000 }),
  'audit/audit-metrics': ({ AuditMetrics }, { metrics }) => new AuditMetrics!(metrics.registry, () => false),
  'canary/rollouts': ({ Rollouts }, { metrics, logger }) =>
    new Rollouts!(undefined, undefined, { subscribe: () => () => undefined }, logger, metrics),
  'bff/graphql/execution/operation-meters': ({ OperationMeters }, { metrics }) =>
    new OperationMeters!(metrics)['watchStreams']!(() => 0),
  'tracing/tracer': ({ watchOf }, { metrics }) =>
    (watchOf as unknown as (logger: object, metrics: object) => unknown)({}, metrics),
  'store/replicas': ({ Replicas }, { metrics }) => new Replicas!(undefined, { metrics }),
  'proxy/mirror/mirrors': ({ Mirrors }, { metrics, logger }) => new Mirrors!(logger, metrics),
};

/** All metrics that a gateway can have, by name. */
export async function knownMetrics(): Promise<readonly KnownMetric[]> {
  const { Metrics } = await built<{ Metrics: new () => never }>('telemetry/metrics');
  const metrics = new Metrics() as World['metrics'];
  const world: World = { metrics, logger: {} };
  lightAll(metrics);
  for (const [file, make] of Object.entries(METRIC_SOURCES)) make(await built<Room>(file), world);
  const registered = metrics.registry.getMetricsAsArray() as unknown as (Omit<KnownMetric, 'labels'> & {
    readonly labelNames: readonly string[];
  })[];
  const own = registered.map(({ name, type, help, labelNames }) => ({
    name,
    type,
    help,
    labels: labelNames,
  }));
  return [...own, ...(await workersMetrics(own))].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Has all metrics registered that are there only where something is used. */
function lightAll(metrics: object): void {
  const { overload, storeChanged, showDroppedLines } = metrics as {
    readonly overload: Record<
      'limitMade' | 'showCaps' | 'showSlots' | 'showLoad',
      (shown: unknown) => unknown
    >;
    storeChanged(up: boolean, use: string): void;
    showDroppedLines(read: () => number): void;
  };
  storeChanged.call(metrics, true, 'limits');
  showDroppedLines.call(metrics, () => 0);
  overload.limitMade({ upstream: '', host: '', limit: { value: 0, waiting: 0 } });
  overload.showSlots(() => []);
  overload.showCaps(() => [{ upstream: '', inFlight: 0, waiting: 0 }]);
  overload.showLoad(() => ({ level: 0, pressures: {} }));
}

/** What a gateway of several workers has besides. */
async function workersMetrics(own: readonly KnownMetric[]): Promise<readonly KnownMetric[]> {
  const { CrewMetrics } = await built<{
    CrewMetrics: new (
      members: () => readonly object[],
      wanted: number,
    ) => { page(format: 'text'): Promise<Buffer> };
  }>('workers/crew-metrics');
  const member = { slot: 1, state: 'serving', startedAt: 0, places: undefined };
  const text = (await new CrewMetrics(() => [member], 1).page('text')).toString();
  return [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\w+)\n(?:\S+?\{(.*?)\} )?/gm)].flatMap(
    ([, name = '', help = '', type = '', labels = '']) =>
      own.some((one) => one.name === name)
        ? []
        : [{ name, help, type, labels: [...labels.matchAll(/(\w+)="/g)].map(([, label = '']) => label) }],
  );
}
