import { setImmediate as turn } from 'node:timers/promises';
import { performance } from 'node:perf_hooks';
import { environmentSchema } from '../config/env.schema.ts';
import type { ConfigDesk } from '../snapshot/config-desk.ts';
import type { Reloads } from '../snapshot/reloads.ts';
import { shownText } from '../snapshot/shown-text.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import { keptLinesOf, type Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { printableJson } from '../telemetry/printable.ts';
import { redacted, redactedFields } from '../telemetry/redaction.ts';
import { describeUpstreams } from '../upstreams/health/health-view.ts';
import { describeCluster } from './cluster-pages.ts';
import { describeConfig } from './config-listing.ts';
import { rowOf } from './config-pages.ts';
import { featuresOf } from './feature-list.ts';
import { describeRoutes } from './route-listing.ts';

/** What a bundle is made of. */
export interface BundleDeps {
  readonly version: string;
  readonly snapshots: Snapshots;
  readonly reloads: Reloads;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly desk: ConfigDesk;
}

/** Variables of ours whose values tell nothing that is secret; all others are named only. */
const SHOWN: ReadonlySet<string> = new Set(
  Object.keys(environmentSchema.shape).filter((name) => !/URL|PASSWORD|SECRET|TOKEN/.test(name)),
);
/** How many items of a list are written between two turns of the loop. */
const AT_A_TIME = 200;
const LONGEST_METRICS = 16 * 1024 * 1024;

/**
 * All that somebody needs who is asked for help, as one document of JSON, part by part: none of it holds the loop for long, and
 * each part goes through the list of the audit before it leaves.
 */
export async function* supportBundle(deps: BundleDeps): AsyncGenerator<string> {
  const { snapshots, metrics, logger } = deps;
  const { table, upstreams, source } = snapshots.current;
  yield '{';
  for (const [name, part] of Object.entries(await partsOf(deps))) yield `${written(name)}:${written(part)},`;
  yield* list('routes', describeRoutes(table.routes, upstreams, source.value));
  yield* list('upstreams', describeUpstreams(upstreams));
  yield* list('changes', metrics.changes.since(0));
  yield* list('log', keptLinesOf(logger));
  const page = (await metrics.page('text')).toString();
  yield* list('metrics', page.slice(0, LONGEST_METRICS).split('\n'));
  yield `"isWhole":${page.length <= LONGEST_METRICS}}\n`;
}

async function partsOf({ version, snapshots, reloads, desk }: BundleDeps): Promise<Record<string, unknown>> {
  const { current } = snapshots;
  const place = await desk.place();
  return {
    madeAt: new Date().toISOString(),
    version,
    node: process.version,
    versions: process.versions,
    platform: `${process.platform} ${process.arch}`,
    process: processFacts(),
    environment: environmentOf(process.env),
    features: featuresOf(current),
    config: describeConfig(snapshots, reloads, place),
    configText: await shownText(current.source.document.text),
    history: (await desk.history()).map(rowOf),
    kubernetes: describeCluster(reloads.additions.source?.followed),
    overrides: current.upstreams.overrides.all(),
    discovery: current.upstreams.discovered,
  };
}

/** What the process is and does. */
function processFacts(): object {
  const { utilization } = performance.eventLoopUtilization();
  const active: Record<string, number> = {};
  for (const one of process.getActiveResourcesInfo()) active[one] = (active[one] ?? 0) + 1;
  return {
    pid: process.pid,
    uptimeSeconds: Math.round(process.uptime()),
    memory: process.memoryUsage(),
    resources: process.resourceUsage(),
    loopUtilization: utilization,
    active,
  };
}

/** Names of all variables, and the values of those that are no secrets. */
export function environmentOf(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const names = Object.keys(env).toSorted();
  return Object.fromEntries(names.map((name) => [name, SHOWN.has(name) ? (env[name] ?? '') : '(not shown)']));
}

async function* list(name: string, items: readonly unknown[]): AsyncGenerator<string> {
  yield `${written(name)}:[`;
  for (let at = 0; at < items.length; at += AT_A_TIME) {
    const some = items.slice(at, at + AT_A_TIME).map(written);
    yield `${at === 0 ? '' : ','}${some.join(',\n')}`;
    await turn();
  }
  yield '],\n';
}

// Fails closed: a secret that stands where nobody has thought of is hidden by its looks, or because the process was given it.
function written(part: unknown): string {
  return printableJson(redacted(JSON.stringify(redactedFields(part) ?? null)));
}
