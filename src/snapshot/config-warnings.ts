import type { ConfigFault } from '../config/config-fault.ts';
import { ambiguities } from '../routing/ambiguous-routes.ts';
import { fallThroughs } from '../routing/fall-through.ts';
import { unknownLabels } from '../routing/unknown-labels.ts';
import type { Logger } from '../telemetry/logger.ts';
import { misspelledRoles } from './misspelled-roles.ts';
import type { Snapshot } from './snapshot.ts';
import { unknownTracedRoutes } from './unknown-traced-routes.ts';

/**
 * What may be meant in a configuration and mostly is not, each with its place: paths that are not for everybody and fall
 * through to a route that lets others in, requests that only the order of the file gives to one of two routes, edits for targets
 * that there are not, routes that nobody
 * traces, roles that look like a slip of another one, targets that are not verified, certificates whose time is over.
 */
export function warningsOf({ table, source, deps }: Snapshot): readonly ConfigFault[] {
  return [
    ...fallThroughs(table, source),
    ...ambiguities(table, source),
    ...unknownLabels(source),
    ...unknownTracedRoutes(table, source),
    ...misspelledRoles(table, source),
    ...(deps.warnings ?? []),
  ];
}

/** Writes one line for each of {@link warningsOf}. */
export function logWarnings(snapshot: Snapshot, logger: Logger): void {
  for (const { message, ...place } of warningsOf(snapshot)) logger.warn(place, message);
}
