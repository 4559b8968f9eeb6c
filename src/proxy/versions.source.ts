import { subsetOf } from '../exchange/subset.ts';
import { NearestNames } from '../config/nearest-name.ts';
import type { DeclaredPolicies, RouteChooser, RouteDefinition } from '../routing/route.ts';
import { definitionOf } from '../routing/read-routes.ts';
import type { ActionDefinition, ActionSource, RouteReading, SourceFault } from '../routing/route-action.ts';
import type { ForwardDefinition } from './forward.source.ts';
import { compileVersionReader, variesBy } from './version-reader.ts';
import { versionsSchema, type VersionOptions, type VersionsOptions } from './versions.schema.ts';

/** Where requests end that name a version which there is not, as data. */
export interface UnknownVersionDefinition extends ActionDefinition {
  readonly kind: 'versions';
  /** The versions that clients may know of. */
  readonly versions: readonly string[];
}

/** Routes with `versions`: each version becomes a route of its own, which is forwarded. */
export const versionsSource: ActionSource = {
  kind: 'versions',
  key: 'versions',
  keys: { versions: versionsSchema },
  hasUpstream: false,
  passesFields: true,
  alone: 'each version says where it goes',
  read(reading) {
    const options = reading.route['versions'] as VersionsOptions;
    const faults = faultsOf(reading, options);
    if (faults.length > 0) return { definitions: [], faults };
    return {
      definitions: options.by === 'path' ? byPath(reading, options) : byChoice(reading, options),
      faults,
    };
  },
};

const PLACEHOLDER = '/{version}';

/** What a version becomes at one place: its own path, or that of `latest` or of no version at all. */
interface Place {
  readonly id: string;
  readonly path?: string;
  readonly budgetOf?: string;
  readonly prefix?: ForwardDefinition['prefix'];
  readonly chooser?: RouteChooser;
}

function versionAt(
  reading: RouteReading,
  [name, one]: readonly [string, VersionOptions],
  at: Place,
): RouteDefinition {
  const { route } = reading;
  const action: ForwardDefinition = {
    kind: 'forward',
    rewrite: one.rewrite,
    prefix: at.prefix,
    host: one.host,
    mirror: one.mirror,
  };
  const base = definitionOf(reading, action);
  const own = one.internal === undefined ? one.policies : guarded(one.policies, route.policies, one.internal);
  return {
    ...base,
    id: at.id,
    match: { ...base.match, path: at.path ?? base.match.path },
    upstream: one.upstream,
    retry: one.retry,
    subset: subsetOf(one),
    hedge: one.hedge,
    version: name,
    budgetOf: at.budgetOf,
    below: ['versions', 'of', name],
    chooser: at.chooser,
    policies: [own ?? {}, route.policies ?? {}],
  };
}

function byPath(reading: RouteReading, { of, ...names }: VersionsOptions): RouteDefinition[] {
  const { id, match } = reading.route;
  const path = match?.path ?? '/';
  const at = Math.max(0, path.indexOf(PLACEHOLDER));
  const before = path.slice(0, at);
  const after = path.startsWith(PLACEHOLDER, at) ? path.slice(at + PLACEHOLDER.length) : path;
  const aliases = (['default', 'latest'] as const).flatMap((alias): RouteDefinition[] => {
    const name = names[alias];
    const one = name === undefined ? undefined : of[name];
    if (name === undefined || one === undefined) return [];
    const from = alias === 'latest' ? `${before}/latest` : before;
    // The upstream hears what it would if the version had been named.
    const prefix = one.rewrite?.path === undefined ? aliasPrefix(from, `${before}/${name}`, one) : undefined;
    const place = { id: `${id}.${alias}`, path: from + after || '/', prefix, budgetOf: `${id}.${name}` };
    return [versionAt(reading, [name, one], place)];
  });
  const all = Object.entries(of).map(([name, one]) =>
    versionAt(reading, [name, one], { id: `${id}.${name}`, path: `${before}/${name}${after}` }),
  );
  return [...all, ...aliases];
}

function aliasPrefix(from: string, named: string, { rewrite }: VersionOptions): ForwardDefinition['prefix'] {
  const strip = rewrite?.stripPrefix?.replace(/\/+$/, '') ?? '';
  if (strip.length <= named.length) return { from, to: named.slice(strip.length) };
  return { from: from + strip.slice(named.length), to: '' };
}

function byChoice(reading: RouteReading, options: VersionsOptions): RouteDefinition[] {
  const { route } = reading;
  const { of } = options;
  const chooser = chooserOf(route.id, options);
  const all = Object.entries(of).map((entry) =>
    versionAt(reading, entry, { id: `${route.id}.${entry[0]}`, chooser }),
  );
  // What is internal is nobody else's to know of.
  const versions = Object.keys(of).filter((name) => of[name]?.internal === undefined);
  const unknown: UnknownVersionDefinition = { kind: 'versions', versions };
  return [...all, { ...definitionOf(reading, unknown), id: `${route.id}.unknown`, chooser }];
}

function chooserOf(id: string, { by, of, latest, default: fallback }: VersionsOptions): RouteChooser {
  if (by === 'path') throw new Error('a path needs no chooser');
  const ids = new Map(Object.keys(of).map((name) => [name, `${id}.${name}`]));
  const versions = [...ids.values()];
  if (latest !== undefined) ids.set('latest', `${id}.${latest}`);
  // Fails closed: a version that is not known is not another one's to answer.
  const unknown = `${id}.unknown`;
  const unnamed = fallback === undefined ? unknown : `${id}.${fallback}`;
  const read = compileVersionReader(by);
  return {
    vary: variesBy(by),
    ids: versions,
    idFor(request) {
      const name = read(request);
      return name === undefined ? unnamed : (ids.get(name) ?? unknown);
    },
  };
}

/** The policies of an internal version: what it says itself of authorization, or the route, and one of the roles. */
function guarded(
  own: DeclaredPolicies | undefined,
  wide: DeclaredPolicies | undefined,
  internal: readonly string[],
): DeclaredPolicies {
  const asked = own?.authorization ?? wide?.authorization;
  const others = asked === undefined || asked === 'off' ? {} : asked;
  return { ...own, authorization: { ...others, anyRole: [...internal] } };
}

function faultsOf({ config, route, index }: RouteReading, { by, of }: VersionsOptions): SourceFault[] {
  const known = new NearestNames(Object.keys(config.upstreams));
  const fault = (path: readonly string[], message: string, suggestion?: string): SourceFault => ({
    path: ['routes', index, ...path],
    message,
    suggestion,
  });
  const path = route.match?.path ?? '/';
  const before = path.slice(0, Math.max(0, path.indexOf(PLACEHOLDER)));
  const faults = Object.entries(of).flatMap(([name, one]) => {
    const at = (key: string, message: string, suggestion?: string): SourceFault[] => [
      fault(['versions', 'of', name, key], message, suggestion),
    ];
    const asked = one.policies?.authorization ?? route.policies?.authorization;
    const isTaken = asked !== undefined && asked !== 'off' && asked.anyRole !== undefined;
    const upstream = config.upstreams[one.upstream];
    return [
      ...(upstream === undefined
        ? at('upstream', `there is no upstream "${one.upstream}"`, known.to(one.upstream))
        : []),
      ...(upstream?.protocol === 'grpc' ? at('upstream', 'expected an upstream that speaks http') : []),
      ...(one.internal !== undefined && isTaken
        ? at(
            'internal',
            'expected no `anyRole` beside it: say all of it with `authorization` of this version',
          )
        : []),
      ...(by === 'path' ? prefixFaults(name, one, before).flatMap((message) => at('rewrite', message)) : []),
    ];
  });
  if (by === 'path' && /[{*]/.test(before))
    faults.push(fault(['match', 'path'], 'expected nothing but text before {version}'));
  if (by !== 'path' && path.includes(PLACEHOLDER))
    faults.push(fault(['match', 'path'], 'expected no {version}: `versions.by` says another place'));
  return faults;
}

function prefixFaults(name: string, { rewrite }: VersionOptions, before: string): string[] {
  const strip = rewrite?.stripPrefix?.replace(/\/+$/, '') ?? '';
  const named = `${before}/${name}`;
  const isPrefix = named === strip || named.startsWith(`${strip}/`) || strip.startsWith(`${named}/`);
  return strip === '' || isPrefix ? [] : [`expected a prefix of "${named}", got "${strip}"`];
}
