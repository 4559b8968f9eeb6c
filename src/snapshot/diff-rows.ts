import { isDeepStrictEqual } from 'node:util';
import type { AccessChange, Change, ConfigDiff, RouteNote } from './config-diff.ts';

/** A value in which more than this has changed is shown whole. */
const MOST_PARTS = 6;

/** One thing that is otherwise in another configuration. */
export interface DiffRow {
  readonly kind: 'added' | 'removed' | 'changed';
  readonly what: 'route' | 'upstream' | 'setting';
  readonly id: string;
  /** What is otherwise, a line each; what lets more people in begins with `!`. */
  readonly lines: readonly string[];
}

/** A difference as rows, one for each route, upstream and setting, in this order. */
export function diffRows(diff: ConfigDiff): readonly DiffRow[] {
  const lines = new Map<string, string[]>();
  const add = (id: string, line: string): void => {
    const known = lines.get(id);
    if (known === undefined) lines.set(id, [line]);
    else known.push(line);
  };
  for (const { id } of diff.public) add(id, '! newly public');
  for (const { from, to, methods, path } of diff.shadowed)
    add(from, `! ${methods.join(',')} ${path}: "${to}" takes it, not "${from}"`);
  for (const one of diff.access) add(one.id, `${opens(one) ? '! opens to' : 'closes to'} ${accessOf(one)}`);
  for (const { id, changes } of diff.changed) for (const change of changes) add(id, changeText(change));
  const row =
    (kind: DiffRow['kind']) =>
    (note: RouteNote): DiffRow => {
      const own = lines.get(note.id) ?? [];
      lines.delete(note.id);
      return { kind, what: 'route', id: note.id, lines: [routeText(note), ...own] };
    };
  return [
    ...diff.removed.map(row('removed')),
    ...diff.added.map(row('added')),
    ...[...lines].map(([id, own]): DiffRow => ({ kind: 'changed', what: 'route', id, lines: own })),
    ...diff.upstreams.map(({ name, changes }): DiffRow => ({
      kind: kindOfAll(changes),
      what: 'upstream',
      id: name,
      lines: changes.map(changeText),
    })),
    ...diff.settings.map((change): DiffRow => ({
      kind: kindOf(change),
      what: 'setting',
      id: change.what,
      lines: [changeText(change)],
    })),
    ...diff.needsRestart.map((id): DiffRow => ({
      kind: 'changed',
      what: 'setting',
      id,
      lines: ['! needs a restart'],
    })),
  ];
}

/** Whether what has changed lets somebody in: what a reviewer has to see first. */
export function opens({ to }: AccessChange): boolean {
  return to !== 'no';
}

/** Who may do what now. */
export function accessOf({ role, from, to }: AccessChange): string {
  return `${role === undefined ? 'no role' : `role ${JSON.stringify(role)}`}: ${from} → ${to}`;
}

/** A route without its id. */
export function routeText({ methods, path }: RouteNote): string {
  return `${methods.join(',') || '*'} ${path}`;
}

/** What was, and what is. */
export function changeText({ what, from, to }: Change): string {
  const parts = partsOf('', from, to);
  const isWhole = parts.length > MOST_PARTS || parts.some(({ path }) => path === '');
  if (isWhole) return `${what}: ${shown(from)} → ${shown(to)}`;
  return `${what}: ${parts.map((part) => `${part.path} ${shown(part.from)} → ${shown(part.to)}`).join(', ')}`;
}

interface Part {
  /** Below what has changed; empty for all of it. */
  readonly path: string;
  readonly from: unknown;
  readonly to: unknown;
}

// What stays the same in a long value hides what does not.
function partsOf(path: string, from: unknown, to: unknown): readonly Part[] {
  if (isDeepStrictEqual(from, to)) return [];
  if (Array.isArray(from) && Array.isArray(to) && from.length === to.length)
    return from.flatMap((one, index) => partsOf(`${path}[${index}]`, one, to[index]));
  if (!isRecord(from) || !isRecord(to)) return [{ path, from, to }];
  const names = new Set([...Object.keys(from), ...Object.keys(to)]);
  const below = path === '' ? '' : `${path}.`;
  return [...names].flatMap((name) => partsOf(below + name, from[name], to[name]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf({ from, to }: Change): DiffRow['kind'] {
  if (from === undefined) return 'added';
  return to === undefined ? 'removed' : 'changed';
}

function kindOfAll(changes: readonly Change[]): DiffRow['kind'] {
  const kinds = new Set(changes.map(kindOf));
  const [only = 'changed'] = kinds;
  return kinds.size === 1 ? only : 'changed';
}

function shown(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value);
}
