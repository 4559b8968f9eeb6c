import type { HeadSeats } from '../policies/seats.ts';
import type { Exchange } from './exchange.ts';
import type { Unopened } from './response-head.ts';

/** Who edits the heads of an exchange: the stages of its route, or what the defaults say while none is known. */
export function headSeatsOf({
  route,
  snapshot,
}: Pick<Exchange | Unopened, 'route' | 'snapshot'>): HeadSeats | undefined {
  return route === undefined ? snapshot?.edge.unrouted.heads : route.heads;
}
