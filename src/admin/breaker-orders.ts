import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { faultsText } from '../config/zod-faults.ts';
import { timerDuration } from '../config/units.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import { orderBreaker } from '../upstreams/health/health-view.ts';
import { noteOrder } from './audited-orders.ts';

/** As long as a timer can wait: until somebody closes it. */
const LONGEST = '24d';

const orderSchema = z.discriminatedUnion('state', [
  z.strictObject({
    state: z.literal('open'),
    for: timerDuration.refine((ms) => ms > 0, 'expected more than nothing').prefault(LONGEST),
  }),
  z.strictObject({ state: z.literal('closed') }),
]);

/** Where the breaker of a target is opened and closed by hand. */
export const BREAKER_PATH = '/upstreams/:upstream/targets/:target/breaker';

interface BreakerRequest {
  readonly Params: { readonly upstream: string; readonly target: string };
}

/**
 * Takes `PUT {"state": "open", "for": "5m"}` or `{"state": "closed"}`, of whoever reaches the listener, but of no page: the
 * browser of an operator may reach it too.
 */
export function takeOrder(
  snapshots: Snapshots,
): (request: FastifyRequest<BreakerRequest>, reply: FastifyReply) => FastifyReply {
  return (request, reply) => {
    // Fails closed: browsers say it with every PUT, also of a page whose name leads here only since it was loaded.
    if (request.headers.origin !== undefined)
      return reply.code(403).send({ error: 'pages in browsers may give no orders' });
    const order = orderSchema.safeParse(request.body);
    if (!order.success)
      return reply.code(400).send({ error: faultsText(order.error, orderSchema, request.body) });
    const { upstream: name, target } = request.params;
    const upstream = snapshots.current.upstreams.find(name);
    if (upstream === undefined) return reply.code(404).send({ error: `there is no upstream "${name}"` });
    const { state } = order.data;
    const forMs = order.data.state === 'open' ? order.data.for : 0;
    noteOrder(request, { state, forMs: state === 'open' ? forMs : undefined });
    const view = orderBreaker(upstream, target, { state, forMs });
    if (view !== undefined) return reply.send(view);
    return reply.code(404).send({ error: `${name} has no target ${target} with a breaker` });
  };
}
