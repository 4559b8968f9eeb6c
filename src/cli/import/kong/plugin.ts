import { z } from 'zod';
import type { Draft, Section } from '../draft.ts';
import type { Source } from '../source.ts';
import type { Consumers } from './consumers.ts';

/** A plugin of a Kong file, with where it stands. */
export interface Plugin {
  readonly name: string;
  readonly source: Source;
  /** Empty where the plugin has none. */
  readonly config: Source;
}

/** What a plugin becomes. */
export interface Translation {
  readonly policies?: Section;
  /** Of `rewrite` of the route. */
  readonly rewrite?: Section;
  /** Why the route answers 503: what the plugin keeps out cannot be kept out otherwise. */
  readonly closed?: string;
}

/** What a translation may look at besides the plugin. */
export interface PluginContext {
  readonly draft: Draft;
  readonly consumers: Consumers;
  /** The plugins that act on the route, by name. */
  readonly plugins: ReadonlyMap<string, Plugin>;
}

/** Translates one plugin for a route. */
export type Translate = (plugin: Plugin, context: PluginContext) => Translation;

/** Lists of texts, as configurations of plugins have them. */
export const texts = z.array(z.string());

const reference = z.union([
  z.string().transform((name) => ({ name })),
  z.looseObject({ name: z.string().optional(), id: z.string().optional(), username: z.string().optional() }),
]);

/** The name of what a key refers to; undefined for nothing. */
export function referenceOf(source: Source, key: string): string | undefined {
  const found = source.get(key, reference) as Partial<Record<'name' | 'id' | 'username', string>> | undefined;
  return found?.name ?? found?.username ?? found?.id;
}

/** Keys of every entity that mean nothing to requests. */
export const BOOKKEEPING = ['id', 'created_at', 'updated_at', 'tags', 'instance_name'] as const;
