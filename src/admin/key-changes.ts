import type { Logger } from '../telemetry/logger.ts';

/** Something that an operator has wanted of an API key. */
export interface KeyChange {
  readonly what: 'created' | 'changed' | 'rotated' | 'revoked';
  /** The id of the key; absent for one that was not made. */
  readonly id?: string | undefined;
  readonly clientId?: string | undefined;
  /** Of the key that came in its place. */
  readonly successor?: string | undefined;
  readonly outcome: 'done' | 'refused';
  /** What the operator says, or why it was refused. */
  readonly reason?: string | undefined;
  /** The address that it came from. */
  readonly from: string;
}

/** Takes note of each key change, done or refused: the one place that all of them pass. */
export function noteKeyChange(logger: Logger, change: KeyChange): void {
  const { what, outcome } = change;
  if (outcome === 'done') logger.info({ apiKey: change }, `API key ${what}`);
  else logger.warn({ apiKey: change }, `API key not ${what}`);
}
