import type { GatewaySource } from '../routing/table-builder.ts';
import type { LeftOut } from '../routing/teams/teams.ts';
import type { Logger } from '../telemetry/logger.ts';

/** What is left out of a configuration, for who is told of it; empty where nothing is. */
export function leftOutOf({ teams }: GatewaySource): { readonly leftOut?: readonly LeftOut[] } {
  return teams === undefined || teams.leftOut.length === 0 ? {} : { leftOut: teams.leftOut };
}

const SERVED = {
  'last-good': 'what it said before stays in force',
  nothing: 'nothing of it is in force',
} as const;

/** Writes one line for each file that is left out. */
export function logLeftOut({ teams }: GatewaySource, logger: Logger): void {
  for (const { file, team, serves, faults } of teams?.leftOut ?? [])
    logger.error(
      { file, team, serves, faults },
      `a file of a team is faulty and left out; ${SERVED[serves]}`,
    );
}
