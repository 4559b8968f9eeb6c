import { readPrincipal } from './explain.schema.ts';
import { judge } from '../routing/who-may.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

/** Whether a caller may call something, as operators see it. */
export interface AccessRow {
  readonly may: 'yes' | 'no' | 'depends';
  readonly methods: string;
  readonly path: string;
  readonly route: string;
  /** What keeps it out, or what it depends on. */
  readonly why: string;
}

/**
 * Who may call what: a row for each route, or for each part of it that is decided by itself, by path and method.
 *
 * @param caller as `explain` takes it; undefined for nobody.
 * @throws {ExplainFault} for what is no caller.
 */
export function whoMayCall({ table }: Snapshot, caller: unknown): readonly AccessRow[] {
  const principal = caller === undefined ? undefined : readPrincipal(caller);
  const rows = table.routes.flatMap((route) =>
    judge(route, principal).map(({ may, why, path, methods }): AccessRow => ({
      may,
      methods: (methods ?? route.match.methods).join(',') || '*',
      path: path ?? route.pattern.source,
      route: route.id,
      why: why === '' ? '-' : why,
    })),
  );
  return rows.sort(
    (a, b) => compare(a.path, b.path) || compare(a.methods, b.methods) || compare(a.route, b.route),
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
