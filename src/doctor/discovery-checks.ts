import { createSource, describeSource } from '../upstreams/discovery/sources.ts';
import type { TargetOptions } from '../upstreams/upstream.schema.ts';
import type { Check } from './check.ts';
import { folderOf, placeOf, type Surroundings } from './surroundings.ts';
import type { CheckedUpstream } from './target-checks.ts';

/**
 * Whether a registry says which targets there are, asked once as the gateway asks it.
 *
 * @param next what is looked at once they are known.
 */
export function discoveryCheck(
  around: Surroundings,
  { name, options }: CheckedUpstream,
  next: (targets: readonly TargetOptions[]) => readonly Check[],
): readonly Check[] {
  const { discovery } = options;
  if (discovery === undefined) return [];
  const mend = placeOf(around, ['upstreams', name, 'discovery']);
  const run: Check['run'] = async (signal) => {
    const surroundings = { folder: folderOf(around), environment: around.variables };
    const source = createSource(discovery, options, surroundings);
    try {
      const { targets, skipped, note } = await source.next({ signal, withinMs: Infinity });
      if (targets.length === 0)
        return { level: 'fail', what: note ?? skipped[0] ?? 'it says that there is no target', mend };
      const left = skipped.length === 0 ? '' : `; ${skipped.length} cannot be used: ${skipped[0] ?? ''}`;
      const what = `${targets.length} ${targets.length === 1 ? 'target' : 'targets'}${left}`;
      return { level: skipped.length === 0 ? 'ok' : 'warn', what, mend: left && mend, more: next(targets) };
    } finally {
      source.close();
    }
  };
  return [{ name: 'discovery', subject: `${name} ${describeSource(discovery)}`, mend, run }];
}
