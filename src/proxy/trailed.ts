import type { Exchange } from '../exchange/exchange.ts';
import type { ResponseHead } from '../policies/stage.ts';

/** Whether fields may follow an answer: they need chunks or frames, which HTTP/1.0 has not, and a body before them. */
export function takesTrailers({ request, method }: Exchange, { status }: ResponseHead): boolean {
  return request.httpVersion !== '1.0' && method !== 'HEAD' && status !== 204 && status !== 304;
}
