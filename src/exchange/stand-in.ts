import type { Route } from '../routing/route.ts';
import type { Answer, Exchange } from './exchange.ts';

/** Answers that count as the failure of who gave them for `staleIfError` (RFC 5861 section 4). */
export const STAND_IN_STATUS: ReadonlySet<number> = new Set([500, 502, 503, 504]);

/** What a stage of the route has to answer with while who answers fails, such as a stored answer. */
export function standInOf(
  exchange: Exchange,
  route: Pick<Route, 'standIns'> | undefined,
): Answer | undefined {
  for (const stage of route?.standIns ?? []) {
    const answer = stage.standIn?.(exchange);
    if (answer !== undefined) return answer;
  }
  return undefined;
}
