import type { Answer, Exchange } from '../exchange/exchange.ts';
import type { ResponseHead } from '../policies/stage.ts';
import type { Route } from '../routing/route.ts';

/** Answers of an upstream that count as its failure for `staleIfError` (RFC 5861 section 4). */
export const STAND_IN_STATUS: ReadonlySet<number> = new Set([500, 502, 503, 504]);

/** What a stage of the route has to answer with while the upstream fails, such as a stored answer. */
export function standInOf(exchange: Exchange, { standIns }: Route): Answer | undefined {
  for (const stage of standIns) {
    const answer = stage.standIn?.(exchange);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** Whether fields may follow an answer: they need chunks or frames, which HTTP/1.0 has not, and a body before them. */
export function takesTrailers({ request, method }: Exchange, { status }: ResponseHead): boolean {
  return request.httpVersion !== '1.0' && method !== 'HEAD' && status !== 204 && status !== 304;
}
