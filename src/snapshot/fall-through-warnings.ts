import { fallThroughs } from '../routing/fall-through.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Snapshot } from './snapshot.ts';

/**
 * Warns of paths that are not for everybody and fall through to a route that lets others in: one line for each, with its
 * place in the configuration.
 */
export function warnOfFallThroughs({ table, source }: Snapshot, logger: Logger): void {
  for (const { message, ...place } of fallThroughs(table, source)) logger.warn(place, message);
}
