import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { faultsText } from '../config/zod-faults.ts';
import { timerDuration } from '../config/units.ts';
import type { Rollouts } from '../canary/rollouts.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { describeOne } from '../upstreams/health/health-view.ts';
import { TargetWatch } from '../upstreams/health/target-watch.ts';
import { ejectionFault } from '../upstreams/overrides/ejection-fault.ts';
import type { Target } from '../upstreams/target.ts';
import { askedParts } from './asked-parts.ts';
import { noteOrder } from './audited-orders.ts';
import { givenBy } from './given-by.ts';
import { operation } from './operation.ts';
import { isEcho, NO_ROOM, REASON } from './target-orders.ts';
import { noTarget, noUpstream } from './unknown-names.ts';

/** As long as a timer can wait: until somebody closes it. */
const LONGEST = '24d';

const orderSchema = z.discriminatedUnion('state', [
  z.strictObject({
    state: z.literal('open'),
    for: timerDuration.refine((ms) => ms > 0, 'expected more than nothing').prefault(LONGEST),
    force: z.boolean().default(false),
    reason: REASON,
  }),
  z.strictObject({ state: z.literal('closed') }),
]);
type Order = z.output<typeof orderSchema>;
type Opening = Extract<Order, { readonly state: 'open' }>;

const NOTHING: Partial<Opening> = {};

const BREAKER_PATH = '/upstreams/:upstream/targets/:target/breaker';

interface BreakerRequest {
  readonly Params: { readonly upstream: string; readonly target: string };
}
type Asked = FastifyRequest<BreakerRequest>;

/** What orders about breakers go by. */
export interface BreakerDeps {
  readonly snapshots: Snapshots;
  readonly metrics: Metrics;
  readonly rollouts: Pick<Rollouts, 'list'>;
}

/**
 * Has breakers opened and closed by hand. Takes `PUT {"state": "open", "for": "5m"}` or `{"state": "closed"}`. One whose target
 * could not be taken out either is opened with `force` only: an open breaker keeps all calls from it as well.
 */
export function serveBreakers(server: FastifyInstance, deps: BreakerDeps): void {
  // Each process has breakers of its own.
  const order = operation('setBreaker', 'operate', {
    summary: 'Open or close the breaker of a target',
    body: orderSchema,
    reach: 'all',
  });
  server.put<BreakerRequest>(BREAKER_PATH, order, (request, reply) => takeOrder(request, reply, deps));
}

function takeOrder(
  request: Asked,
  reply: FastifyReply,
  { snapshots, metrics, rollouts }: BreakerDeps,
): FastifyReply {
  const read = orderSchema.safeParse(request.body);
  if (!read.success)
    return reply.code(400).send({ error: faultsText(read.error, orderSchema, request.body) });
  const { upstream: name, target } = request.params;
  const { upstreams } = snapshots.current;
  const order = read.data;
  const opening = order.state === 'open' ? order : undefined;
  const { for: forMs, force, reason } = opening ?? NOTHING;
  noteOrder(request, { state: order.state, ...(opening && { forMs, force, reason }) });
  const upstream = upstreams.find(name);
  const all = upstream?.targets ?? [];
  const found = all.filter((one) => one.host === target && one.breaker !== undefined);
  // An order holds by the name: it is undone although a reload has taken the target away, and told by others that have it still.
  const isHeld = opening === undefined && upstreams.overrides.of('breaker', name, target) !== undefined;
  if (found.length === 0 && !isHeld && !isEcho())
    return reply.code(404).send({ error: unknown(snapshots, name, target) });
  // What another process has let pass is done here too: targets would be in use at some of them else.
  const isForced = opening === undefined || force === true || isEcho();
  const fault =
    isForced || upstream === undefined
      ? undefined
      : ejectionFault(upstream, target, askedParts(name, snapshots.current, rollouts));
  if (fault !== undefined) return reply.code(409).send({ error: fault });
  if (!carriedOut(request, order, { found, overrides: upstreams.overrides }))
    return reply.code(507).send(NO_ROOM);
  for (const { health } of found) if (health instanceof TargetWatch) health.ejections = 0;
  // Of several processes the one that was asked first tells it.
  if (!isEcho()) {
    const how = forMs === undefined ? 'closed' : `opened for ${Math.round(forMs / 1000)} s`;
    const why = reason === undefined ? '' : `: ${reason}`;
    const text = `breaker of ${target} ${how}${why}, by ${givenBy(request)}`;
    metrics.changes.note({ kind: 'order', upstream: name, target, text });
  }
  return reply.send(describeOne(upstreams, name, target) ?? { target, isThere: false });
}

function unknown({ current: { upstreams } }: Snapshots, name: string, target: string): string {
  const upstream = upstreams.find(name);
  return upstream === undefined
    ? noUpstream(name, upstreams.all())
    : noTarget(upstream, `${target} with a breaker`);
}

/** @returns whether there was room for it. */
function carriedOut(
  request: Asked,
  order: Order,
  {
    found,
    overrides,
  }: {
    readonly found: readonly Target[];
    readonly overrides: Snapshots['current']['upstreams']['overrides'];
  },
): boolean {
  const { upstream, target } = request.params;
  if (order.state === 'open') {
    const since = Date.now();
    const { for: forMs, reason } = order;
    const by = givenBy(request);
    return overrides.put({ kind: 'breaker', upstream, target, since, until: since + forMs, by, reason });
  }
  overrides.undo('breaker', upstream, target);
  // Also one that has opened by itself.
  for (const { breaker } of found) breaker?.close();
  return true;
}
