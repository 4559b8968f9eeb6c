import { z } from 'zod';
import { policyRegistry } from '../../../policies/order.ts';
import { Names, Variable, type Draft, type RouteDraft, type Section } from '../draft.ts';
import type { Source } from '../source.ts';
import { authenticationOf } from './authentication.ts';
import type { Consumers } from './consumers.ts';
import { conditionsOf } from './conditions.ts';
import { expressionPath, looksLikeExpression, prefixPath, type KongPath, type OddPath } from './paths.ts';
import { BOOKKEEPING, texts, type PluginContext, type Translation } from './plugin.ts';
import type { PluginIndex } from './plugin-index.ts';
import { GUARDS, HARMLESS, TRANSLATIONS } from './plugins/table.ts';
import type { ServiceUpstream } from './upstreams.ts';

/** What a route of Kong leads to. */
export interface Service {
  readonly source: Source;
  readonly upstream: ServiceUpstream;
}

interface Reading {
  readonly draft: Draft;
  readonly consumers: Consumers;
  readonly plugins: PluginIndex;
  /** Whether expressions among paths are marked with `~`, as from 3.0 on. */
  readonly areMarked: boolean;
}

interface ReadRoute {
  readonly route: RouteDraft;
  readonly regexPriority: number;
  readonly source: Source;
}

/** Makes routes of routes of Kong: one for each path. */
export class RouteReader {
  readonly #reading: Reading;
  readonly #names = new Names(/[^A-Za-z0-9._-]/g, 'route');
  readonly #routes: ReadRoute[] = [];

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  /** Of two expressions at one place the first one is asked first, so that their order is Kong's. */
  inOrder(): RouteDraft[] {
    return withoutTwins(this.#routes.toSorted((a, b) => b.regexPriority - a.regexPriority));
  }

  read(source: Source, service: Service | undefined): void {
    source.skip(...BOOKKEEPING);
    source.skipDefaults({
      https_redirect_status_code: 426,
      path_handling: 'v0',
      request_buffering: true,
      response_buffering: true,
    });
    source.skip('service');
    const isGrpc = service?.upstream.isGrpc === true;
    const conditions = conditionsOf(source, isGrpc);
    if (conditions === undefined) return;
    const { policies, closed, query } = this.#policiesOf(source, service, conditions.closed);
    const regexPriority = source.get('regex_priority', z.int()) ?? 0;
    const wanted = source.get('name', z.string()) ?? service?.upstream.name ?? 'route';
    const doesStrip = source.get('strip_path', z.boolean()) ?? true;
    const keepsHost = source.get('preserve_host', z.boolean()) === true;
    if (keepsHost && isGrpc)
      source.note('left', 'calls of gRPC have the host of their target', 'preserve_host');
    const host = keepsHost && !isGrpc ? { host: 'keep' } : {};
    // Kong strips nothing of calls of gRPC either.
    const takenOff = isGrpc ? undefined : (service?.upstream.base ?? '');
    const paths = this.#pathsOf(source);
    if (paths.length > 1 && policies['rateLimit'] !== undefined)
      source.note('differs', 'each path is a route here, and each route counts for itself', 'paths');
    for (const path of paths) {
      const isOdd = 'fault' in path;
      const rewrite = takenOff === undefined ? {} : { ...rewriteOf(path, doesStrip, takenOff), ...query };
      const route: RouteDraft = {
        id: this.#names.take(wanted),
        match: { ...conditions.match, path: isOdd ? `${path.prefix}/*` : path.pattern },
        closed: isOdd ? 'its path cannot be said, so that all below is closed' : closed,
        rest: {
          ...(!isOdd && path.ignoresSlash ? { paths: { trailingSlash: 'ignore' } } : {}),
          upstream: service?.upstream.name,
          ...(Object.keys(rewrite).length > 0 ? { rewrite } : {}),
          ...host,
          ...conditions.rest,
          policies,
        },
      };
      this.#routes.push({ route, regexPriority, source });
    }
  }

  #policiesOf(
    source: Source,
    service: Service | undefined,
    atFirst: string | undefined,
  ): { policies: Section; query: Section; closed?: string } {
    const { draft, consumers } = this.#reading;
    const plugins = this.#reading.plugins.of(source, service?.source);
    const context: PluginContext = { draft, consumers, plugins };
    const translations: Translation[] = [authenticationOf(context)];
    for (const plugin of plugins.values()) {
      const translate = TRANSLATIONS.get(plugin.name);
      if (translate !== undefined) translations.push(translate(plugin, context));
      else if (!GUARDS.has(plugin.name)) translations.push(untranslatable(plugin));
    }
    if (service === undefined) source.note('closed', 'a route without a service');
    const policies = merged(translations);
    const faulty =
      faultyPolicy(policies) ?? (service?.upstream.isGrpc === true ? editingPolicy(policies) : undefined);
    if (faulty !== undefined) source.note('closed', `its plugins say what \`${faulty}\` cannot`);
    const reasons = [
      atFirst,
      faulty === undefined ? undefined : `its plugins say what ${faulty} cannot`,
      service === undefined ? 'it has no service' : service.upstream.closed,
      ...translations.map(({ closed }) => closed),
    ].filter((reason) => reason !== undefined);
    return {
      policies,
      query: Object.assign({}, ...translations.map(({ rewrite }) => rewrite)) as Section,
      ...(reasons[0] === undefined ? {} : { closed: reasons.join('; ') }),
    };
  }

  #pathsOf(source: Source): (KongPath | OddPath)[] {
    const { areMarked } = this.#reading;
    const listed = source.get('paths', texts);
    if (listed === undefined || listed.length === 0) return [prefixPath('/')];
    return listed.map((text, index) => {
      const isExpression = areMarked ? text.startsWith('~') : looksLikeExpression(text);
      const path = isExpression ? expressionPath(text.replace(/^~/, '')) : prefixPath(text);
      const place = [...source.path, 'paths', index];
      if ('fault' in path)
        source.notes.add(
          'closed',
          place,
          `${path.fault}; all of ${path.prefix}/* answers 503 until a path is written by hand`,
        );
      else if (isExpression)
        source.notes.add(
          'differs',
          place,
          'matched by whole segments, and after literal paths at the same place; Kong asks expressions first',
        );
      return path;
    });
  }
}

/** Of routes that take the same requests the first one stays; fails closed where one of them is. */
function withoutTwins(routes: readonly ReadRoute[]): RouteDraft[] {
  const byMatch = new Map<string, RouteDraft>();
  for (const { route, source } of routes) {
    const key = JSON.stringify(route.match).replaceAll(/\{[A-Za-z_]\w*/g, '{');
    const first = byMatch.get(key);
    if (first === undefined) byMatch.set(key, route);
    else if (first.closed === undefined && route.closed !== undefined) {
      source.note('closed', `takes the same requests as ${first.id}, which is closed with it`);
      byMatch.set(key, { ...first, closed: route.closed });
    } else if (first.closed === undefined) source.note('left', `${first.id} takes the same requests first`);
    else source.note('closed', `takes the same requests as ${first.id}, which is closed`);
  }
  return [...byMatch.values()];
}

function untranslatable({ name, source }: { readonly name: string; readonly source: Source }): Translation {
  source.settle();
  const instead = HARMLESS.get(name);
  if (instead !== undefined) {
    source.note('left', `${name}: ${instead}`);
    return {};
  }
  // Fails closed: nobody can tell whether it keeps people out.
  source.note(
    'closed',
    `${name} has no equivalent and may keep people out; its routes answer 503 until somebody says who may call`,
  );
  return { closed: `the plugin ${name} has no equivalent` };
}

function merged(translations: readonly Translation[]): Section {
  const policies: Section = {};
  for (const { policies: one = {} } of translations)
    for (const [name, value] of Object.entries(one)) {
      const before = policies[name];
      policies[name] =
        name === 'transform' && before !== undefined ? { ...before, ...(value as Section) } : value;
    }
  return policies;
}

/** The first of the policies that would keep the file from being read. */
function faultyPolicy(policies: Section): string | undefined {
  const all = Object.values(policyRegistry);
  return Object.entries(policies).find(
    ([name, value]) =>
      all.find((one) => one.name === name)?.schema.safeParse(withTexts(value)).success !== true,
  )?.[0];
}

/** A policy that edits bodies, which calls of gRPC have none of that could be read. */
function editingPolicy({ transform }: Section): string | undefined {
  const { request = {}, response = {} } = (transform ?? {}) as Record<string, Section | undefined>;
  const edits = 'body' in request || 'body' in response || 'maskFields' in response || 'template' in response;
  return edits ? 'transform' : undefined;
}

/** What the environment has is a text, whichever. */
function withTexts(value: unknown): unknown {
  const text = JSON.stringify(value, (_key, one: unknown) => (one instanceof Variable ? 'variable' : one));
  return JSON.parse(text) as unknown;
}

function rewriteOf(path: KongPath | OddPath, doesStrip: boolean, base: string): Section {
  if ('fault' in path) return {};
  const isOpen = path.pattern.endsWith('/*');
  if (!doesStrip && base === '') return {};
  if (!doesStrip) return { path: `${base}${path.template}` };
  if (path.prefix === '' && base === '') return {};
  if (path.prefix !== undefined && base === '') return { stripPrefix: path.prefix };
  return isOpen ? { replacePrefix: base || '/' } : { path: base || '/' };
}
