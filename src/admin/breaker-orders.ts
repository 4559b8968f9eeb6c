import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { faultsText } from '../config/zod-faults.ts';
import { timerDuration } from '../config/units.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import { orderBreaker } from '../upstreams/health/health-view.ts';
import { noteOrder } from './audited-orders.ts';
import { operation } from './operation.ts';

/** As long as a timer can wait: until somebody closes it. */
const LONGEST = '24d';

const orderSchema = z.discriminatedUnion('state', [
  z.strictObject({
    state: z.literal('open'),
    for: timerDuration.refine((ms) => ms > 0, 'expected more than nothing').prefault(LONGEST),
  }),
  z.strictObject({ state: z.literal('closed') }),
]);

const BREAKER_PATH = '/upstreams/:upstream/targets/:target/breaker';

interface BreakerRequest {
  readonly Params: { readonly upstream: string; readonly target: string };
}

/** Has breakers opened and closed by hand. */
export function serveBreakers(server: FastifyInstance, snapshots: Snapshots): void {
  // Each process has breakers of its own.
  const order = operation('setBreaker', 'operate', {
    summary: 'Open or close the breaker of a target',
    body: orderSchema,
    reach: 'all',
  });
  server.put(BREAKER_PATH, order, takeOrder(snapshots));
}

/** Takes `PUT {"state": "open", "for": "5m"}` or `{"state": "closed"}`. */
function takeOrder(
  snapshots: Snapshots,
): (request: FastifyRequest<BreakerRequest>, reply: FastifyReply) => FastifyReply {
  return (request, reply) => {
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
