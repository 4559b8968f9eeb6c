import { ConfigError } from '../config/config-fault.ts';
import {
  diffConfigs,
  isEmpty,
  type AccessChange,
  type Change,
  type ConfigDiff,
  type RouteNote,
} from '../snapshot/config-diff.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { DiffCommand } from './arguments.ts';
import { redactedFields } from '../telemetry/redaction.ts';
import type { OfferedModules, Outlet } from './commands.ts';
import { compiled } from './compiled.ts';
import { Incomparable } from './incomparable.ts';

/**
 * Says what changes in meaning between two configurations.
 *
 * @returns whether anything does.
 * @throws {Incomparable} when one of them is faulty.
 */
export async function runDiff(
  { files, json }: DiffCommand,
  modules: OfferedModules,
  out: Outlet,
): Promise<boolean> {
  const before = await snapshotOf(files[0], modules);
  const found = diffConfigs(before, await snapshotOf(files[1], modules));
  // What a field is set to may be a credential; that it changes is told all the same.
  const shown = redactedFields(found);
  out.write(json ? `${JSON.stringify(shown, null, 2)}\n` : renderDiff(shown));
  return !isEmpty(found);
}

async function snapshotOf(configFile: string, modules: OfferedModules): Promise<Snapshot> {
  try {
    const { gateway, current } = await compiled(configFile, modules);
    await gateway.app.close();
    return current;
  } catch (error) {
    throw error instanceof ConfigError ? new Incomparable(error) : error;
  }
}

/** Shows a difference as text: one line for each thing, what lets more people in first. */
export function renderDiff(diff: ConfigDiff): string {
  if (isEmpty(diff)) return 'nothing changes in meaning\n';
  const lines = [
    ...diff.public.map((route) => `! newly public     ${named(route)}`),
    ...diff.shadowed.map(
      ({ methods, path, from, to }) =>
        `! shadowed         ${methods.join(',')} ${path}: "${to}" takes it, not "${from}"`,
    ),
    ...diff.access.filter(opens).map((one) => `! opens to         ${accessOf(one)}`),
    ...diff.needsRestart.map((key) => `! needs a restart  ${key}`),
    ...diff.removed.map((route) => `- route            ${named(route)}`),
    ...diff.added.map((route) => `+ route            ${named(route)}`),
    ...diff.changed.flatMap(({ id, changes }) =>
      changes.map((change) => `~ route            ${id}  ${changed(change)}`),
    ),
    ...diff.access.filter((one) => !opens(one)).map((one) => `~ closes to        ${accessOf(one)}`),
    ...diff.upstreams.flatMap(({ name, changes }) =>
      changes.map((change) => `~ upstream         ${name}  ${changed(change)}`),
    ),
    ...diff.settings.map((change) => `~ setting          ${changed(change)}`),
  ];
  return `${lines.join('\n')}\n`;
}

// What lets more people in is what a reviewer has to see.
function opens({ to }: AccessChange): boolean {
  return to !== 'no';
}

function accessOf({ id, role, from, to }: AccessChange): string {
  return `${id}  ${role === undefined ? 'no role' : `role ${JSON.stringify(role)}`}: ${from} → ${to}`;
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
