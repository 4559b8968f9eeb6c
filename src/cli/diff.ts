import type { Change, ConfigDiff, RouteNote } from '../snapshot/config-diff.ts';
import { isEmpty } from '../snapshot/config-diff.ts';

/** Shows a difference as text: one line for each thing, what lets more people in first. */
export function renderDiff(diff: ConfigDiff): string {
  if (isEmpty(diff)) return 'nothing changes in meaning\n';
  const lines = [
    ...diff.public.map((route) => `! newly public     ${named(route)}`),
    ...diff.shadowed.map(
      ({ methods, path, from, to }) =>
        `! shadowed         ${methods.join(',')} ${path}: "${to}" takes it, not "${from}"`,
    ),
    ...diff.needsRestart.map((key) => `! needs a restart  ${key}`),
    ...diff.removed.map((route) => `- route            ${named(route)}`),
    ...diff.added.map((route) => `+ route            ${named(route)}`),
    ...diff.changed.flatMap(({ id, changes }) =>
      changes.map((change) => `~ route            ${id}  ${changed(change)}`),
    ),
    ...diff.upstreams.flatMap(({ name, changes }) =>
      changes.map((change) => `~ upstream         ${name}  ${changed(change)}`),
    ),
    ...diff.settings.map((change) => `~ setting          ${changed(change)}`),
  ];
  return `${lines.join('\n')}\n`;
}

function named({ id, methods, path }: RouteNote): string {
  return `${id}  ${methods.join(',') || '*'} ${path}`;
}

function changed({ what, from, to }: Change): string {
  return `${what}: ${shown(from)} → ${shown(to)}`;
}

function shown(value: unknown): string {
  return value === undefined ? 'none' : JSON.stringify(value);
}
