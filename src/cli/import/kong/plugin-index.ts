import { z } from 'zod';
import type { Source } from '../source.ts';
import { BOOKKEEPING, referenceOf, type Plugin } from './plugin.ts';
import { HARMLESS, TRANSLATIONS } from './plugins/table.ts';

/** Which plugins act on a route: the one of the narrowest place, for each name. */
export class PluginIndex {
  readonly #byPlace = new Map<string, Plugin[]>();
  readonly #references: { readonly place: string; readonly source: Source }[] = [];
  readonly #known = new Set(['all']);
  readonly #applied = new Set<Plugin>();

  /** Reads the plugins of the file as a whole, those that name a service or a route among them. */
  constructor(root: Source) {
    for (const source of root.list('plugins')) {
      const [route, service] = [referenceOf(source, 'route'), referenceOf(source, 'service')];
      if (route !== undefined) this.#add(`route ${route}`, source);
      else this.#add(service === undefined ? 'all' : `service ${service}`, source);
    }
  }

  /** Of a route and the service that it leads to. */
  of(route: Source, service: Source | undefined): ReadonlyMap<string, Plugin> {
    const plugins = new Map<string, Plugin>();
    const places = [
      this.#at('all'),
      ...(service === undefined ? [] : [this.#named('service', service), this.#own(service)]),
      this.#named('route', route),
      this.#own(route),
    ];
    for (const plugin of places.flat()) {
      plugins.set(plugin.name, plugin);
      this.#applied.add(plugin);
    }
    return plugins;
  }

  /** Takes a service or a route for one that plugins can name. */
  know(kind: 'service' | 'route', source: Source): void {
    for (const name of namesOf(source)) this.#known.add(`${kind} ${name}`);
  }

  /** Says which plugins act on nothing; one that names what there is not would leave open what it is to guard. */
  finish(): void {
    for (const { place, source } of this.#references)
      if (!this.#known.has(place)) source.notes.fault(source.path, `there is no ${place}`);
    for (const plugin of [...this.#byPlace.values()].flat()) {
      if (this.#applied.has(plugin)) continue;
      plugin.source.note('left', `${plugin.name} acts on no route that is written`);
      plugin.source.settle();
    }
  }

  #named(kind: string, source: Source): Plugin[] {
    return namesOf(source).flatMap((name) => this.#at(`${kind} ${name}`));
  }

  #own(source: Source): Plugin[] {
    return source.list('plugins').flatMap((one) => readPlugin(one) ?? []);
  }

  #at(place: string): Plugin[] {
    return this.#byPlace.get(place) ?? [];
  }

  #add(place: string, source: Source): void {
    const plugin = readPlugin(source);
    if (plugin === undefined) return;
    this.#references.push({ place, source });
    this.#byPlace.set(place, [...this.#at(place), plugin]);
  }
}

function namesOf(source: Source): string[] {
  return ['name', 'id'].flatMap((key) => source.get(key, z.string()) ?? []);
}

function readPlugin(source: Source): Plugin | undefined {
  const name = source.get('name', z.string());
  source.skip(...BOOKKEEPING);
  source.skipDefaults({ protocols: ['grpc', 'grpcs', 'http', 'https'], run_on: 'first' });
  if (name === undefined) {
    source.notes.fault(source.path, 'expected `name`, the name of the plugin');
    return undefined;
  }
  if (source.get('enabled', z.boolean()) === false) {
    source.note('left', `${name} is switched off`);
    source.settle();
    return undefined;
  }
  const consumer = referenceOf(source, 'consumer') ?? referenceOf(source, 'consumer_group');
  if (consumer !== undefined) {
    source.note('left', `${name} for ${consumer} alone: policies hold for all callers of a route`);
    source.settle();
    return undefined;
  }
  return { name, source, config: source.at('config') ?? source };
}

/** Whether a plugin of a consumer may keep that consumer out, so that importing its credentials would let it in. */
export function mayShutOut(source: Source): boolean {
  const name = source.get('name', z.string()) ?? '';
  const isHarmless = HARMLESS.has(name) || (TRANSLATIONS.has(name) && name !== 'ip-restriction');
  return source.get('enabled', z.boolean()) !== false && !isHarmless;
}
