import { ConfigError } from '../config/config-fault.ts';
import { diffConfigs, isEmpty, type ConfigDiff } from '../snapshot/config-diff.ts';
import { accessOf, changeText, opens, routeText } from '../snapshot/diff-rows.ts';
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
    ...diff.public.map((route) => `! newly public     ${route.id}  ${routeText(route)}`),
    ...diff.shadowed.map(
      ({ methods, path, from, to }) =>
        `! shadowed         ${methods.join(',')} ${path}: "${to}" takes it, not "${from}"`,
    ),
    ...diff.access.filter(opens).map((one) => `! opens to         ${one.id}  ${accessOf(one)}`),
    ...diff.needsRestart.map((key) => `! needs a restart  ${key}`),
    ...diff.removed.map((route) => `- route            ${route.id}  ${routeText(route)}`),
    ...diff.added.map((route) => `+ route            ${route.id}  ${routeText(route)}`),
    ...diff.changed.flatMap(({ id, changes }) =>
      changes.map((change) => `~ route            ${id}  ${changeText(change)}`),
    ),
    ...diff.access
      .filter((one) => !opens(one))
      .map((one) => `~ closes to        ${one.id}  ${accessOf(one)}`),
    ...diff.upstreams.flatMap(({ name, changes }) =>
      changes.map((change) => `~ upstream         ${name}  ${changeText(change)}`),
    ),
    ...diff.settings.map((change) => `~ setting          ${changeText(change)}`),
  ];
  return `${lines.join('\n')}\n`;
}
