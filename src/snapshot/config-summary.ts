import { isDeepStrictEqual } from 'node:util';
import type { GatewayConfig } from '../routing/gateway.schema.ts';

/** How many routes, upstreams and sections a configuration has that another one has not, or has otherwise. */
export interface ConfigSummary {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
}

/** Counts how two configurations differ, by what their files say. */
export function summaryOf(before: GatewayConfig, after: GatewayConfig): ConfigSummary {
  const [old, now] = [partsOf(before), partsOf(after)];
  let [added, changed] = [0, 0];
  for (const [name, part] of now)
    if (!old.has(name)) added += 1;
    else if (!isDeepStrictEqual(old.get(name), part)) changed += 1;
  return { added, removed: [...old.keys()].filter((name) => !now.has(name)).length, changed };
}

function partsOf({ routes, upstreams, ...sections }: GatewayConfig): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>([
    ...routes.map((route): [string, unknown] => [`route ${route.id}`, route]),
    ...Object.entries(upstreams).map(([name, one]): [string, unknown] => [`upstream ${name}`, one]),
    ...Object.entries(sections),
  ]);
}
