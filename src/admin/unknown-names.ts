import { nearestName } from '../config/nearest-name.ts';
import type { Upstream } from '../upstreams/upstream.ts';

const MOST_NAMES = 5;

/** Says that there is no such upstream, and which one may be meant. */
export function noUpstream(name: string, all: readonly Pick<Upstream, 'name'>[]): string {
  const names = all.map((one) => one.name);
  const nearest = nearestName(name, names);
  const hint = nearest === undefined ? listed('there are', names) : `; did you mean "${nearest}"?`;
  return `there is no upstream "${name}"${hint}`;
}

/** Says that an upstream has no such target, and which ones it has. */
export function noTarget({ name, targets }: Pick<Upstream, 'name' | 'targets'>, target: string): string {
  return `${name} has no target ${target}${listed('it has', [...new Set(targets.map(({ host }) => host))])}`;
}

function listed(what: string, names: readonly string[]): string {
  if (names.length === 0) return '';
  const more = names.length > MOST_NAMES ? `, and ${names.length - MOST_NAMES} more` : '';
  return `; ${what} ${names.slice(0, MOST_NAMES).join(', ')}${more}`;
}
