import type { ConfigFault } from '../../config/config-fault.ts';
import { renderPath, routeIdAt, type ConfigPath } from '../../config/config-path.ts';
import type { YamlDocument } from '../../config/yaml-reader.ts';
import type { TeamSource } from './teams.ts';

/** Something in a file of a team that it has no right to. */
export interface Stray {
  readonly path: ConfigPath;
  readonly message: string;
  readonly suggestion?: string | undefined;
}

/** Strays as faults, with their places, and the one of what they lack. */
export function placedStrays(
  strays: readonly Stray[],
  { team, grantedAt }: TeamSource,
  document: YamlDocument,
): ConfigFault[] {
  return strays.map(({ path, message, suggestion }) => ({
    file: document.file,
    ...document.locate(path),
    routeId: routeIdAt(path, document.value),
    key: renderPath(path, document.value),
    message: `${message} (rights of the team ${team} at ${grantedAt})`,
    suggestion,
  }));
}
