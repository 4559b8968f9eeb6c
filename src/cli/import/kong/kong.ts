import { z } from 'zod';
import type { ConfigPath } from '../../../config/config-path.ts';
import type { Draft } from '../draft.ts';
import type { Source } from '../source.ts';
import { Consumers } from './consumers.ts';
import { BOOKKEEPING, referenceOf } from './plugin.ts';
import { PluginIndex } from './plugin-index.ts';
import { RouteReader } from './routes.ts';
import { Upstreams } from './upstreams.ts';

/** Formats that are read; a version without quotes is a number in YAML. */
const VERSIONS: ReadonlySet<string> = new Set(['1.1', '2.1', '3.0', '3']);

/** Entities that have no equivalent of their own, with what there is in their place. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  certificates: 'put certificate and key into files, and name them under `listeners[].tls.certificates`',
  snis: 'a certificate is chosen by the names that it is for',
  ca_certificates: 'put them into a file, and name it as `tls.ca` of the upstreams that they are for',
  vaults: 'secrets come from the environment, as `${NAME}`',
  consumer_groups: 'policies hold for all callers of a route; groups of `acls` become roles',
};

/** Translates a declarative configuration of Kong, `_format_version` 1.1 to 3.0. */
export function importKong(root: Source): Draft {
  const draft: Draft = { issuers: [], apiKeys: [], upstreams: {}, routes: [] };
  const version = String(root.get('_format_version', z.union([z.string(), z.number()])));
  if (!VERSIONS.has(version))
    root.notes.fault(['_format_version'], 'expected `_format_version` 1.1, 2.1 or 3.0');
  root.skip('_transform', '_comment', '_workspace');
  // What they say of services, routes and upstreams is not in these.
  root.at('_info')?.skip('select_tags');
  for (const path of referencesOf(root.value))
    root.notes.fault(path, 'expected a value, found a reference of decK; fill it in with `deck file render`');
  for (const [kind, message] of Object.entries(ELSEWHERE))
    for (const source of root.list(kind)) {
      source.note('left', message);
      source.settle();
    }
  const consumers = new Consumers(root, draft);
  const upstreams = new Upstreams(root, draft);
  const plugins = new PluginIndex(root);
  const reader = new RouteReader({ draft, consumers, plugins, areMarked: version.startsWith('3') });
  const left = new Set(root.list('routes'));
  for (const service of root.list('services')) {
    const names = ['name', 'id'].flatMap((key) => service.get(key, z.string()) ?? []);
    const listed = [...left].filter((route) => names.includes(referenceOf(route, 'service') ?? ''));
    const routes = [...service.list('routes'), ...listed];
    for (const route of listed) left.delete(route);
    plugins.know('service', service);
    for (const route of routes) plugins.know('route', route);
    service.skip(...BOOKKEEPING);
    if (service.get('enabled', z.boolean()) === false) leaveOut(service, routes);
    else readService(service, routes, { upstreams, reader });
  }
  for (const route of left) {
    plugins.know('route', route);
    const service = referenceOf(route, 'service');
    if (service === undefined) reader.read(route, undefined);
    else route.notes.fault([...route.path, 'service'], 'there is no such service');
  }
  plugins.finish();
  upstreams.finish();
  draft.routes.push(...reader.inOrder());
  return draft;
}

function readService(
  service: Source,
  routes: readonly Source[],
  { upstreams, reader }: { readonly upstreams: Upstreams; readonly reader: RouteReader },
): void {
  const upstream = upstreams.add(service);
  for (const route of routes) reader.read(route, { source: service, upstream });
  if (routes.length === 0) service.note('left', 'no route leads to it');
}

function leaveOut(service: Source, routes: readonly Source[]): void {
  for (const source of [service, ...routes]) {
    source.note('left', 'the service is switched off');
    source.settle();
  }
}

// A key that stands for another one is not the key.
function referencesOf(value: unknown, path: ConfigPath = []): ConfigPath[] {
  if (typeof value === 'string') return /\$\{\{\s*env\b/.test(value) ? [path] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    referencesOf(inner, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}
