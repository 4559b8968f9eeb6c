import type { Json, Resource } from './resource.ts';
import type { Translation } from './translate/translate.ts';

/** Objects whose routes lead to the upstream that a fault is about. */
export function ownersOf({ routes, upstreams }: Translation, key: string): readonly Resource[] {
  const name = /^upstreams\[([^\]]+)\]/.exec(key)?.[1];
  if (name === undefined || !upstreams.has(name)) return [];
  return routes
    .filter(({ config }) => JSON.stringify(config).includes(`"${name}"`))
    .map(({ owner }) => owner);
}

/** Whose fault it is: of a policy that is attached to the route, or of the route itself. */
export function blamed({ owner, policies, config }: Translation['routes'][number], key: string): Resource {
  const name = /\.policies\.(\w+)/.exec(key)?.[1];
  const own = name === undefined ? undefined : policies.get(name);
  return own !== undefined && (config['policies'] as Json | undefined)?.[name ?? ''] !== undefined
    ? own
    : owner;
}
