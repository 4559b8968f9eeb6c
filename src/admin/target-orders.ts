import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { timerDuration } from '../config/units.ts';
import type { Rollouts } from '../canary/rollouts.ts';
import { faultsText } from '../config/zod-faults.ts';
import type { Snapshots } from '../snapshot/snapshots.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { describeOne, orderView } from '../upstreams/health/health-view.ts';
import { ejectionFault } from '../upstreams/overrides/ejection-fault.ts';
import type { Override, OverrideKind } from '../upstreams/overrides/target-overrides.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { askedParts } from './asked-parts.ts';
import { noteOrder } from './audited-orders.ts';
import { givenBy } from './given-by.ts';
import { operation } from './operation.ts';
import { relayed } from './relayed-requests.ts';
import { noTarget, noUpstream } from './unknown-names.ts';

const TARGET_PATH = '/upstreams/:upstream/targets/:target';
/** Why somebody orders something. */
export const REASON = z.string().max(200).optional();
/** What somebody hears whose order would be one too many. */
export const NO_ROOM = {
  error: 'there is room for 1000 orders only; undo some that are not needed any more',
};
const aWhile = timerDuration.refine((ms) => ms > 0, 'expected more than nothing');

const ejectionSchema = z.strictObject({
  for: aWhile.prefault('10m'),
  force: z.boolean().default(false),
  reason: REASON,
});
const weightSchema = z.strictObject({
  weight: z.int().min(1).max(1000),
  for: aWhile.optional(),
  reason: REASON,
});

interface TargetRequest {
  readonly Params: { readonly upstream: string; readonly target: string };
}
type Asked = FastifyRequest<TargetRequest>;

/** What orders about targets go by. */
export interface TargetOrdersDeps {
  readonly snapshots: Snapshots;
  readonly metrics: Metrics;
  readonly rollouts: Pick<Rollouts, 'list'>;
}

/**
 * Takes targets out for a time and gives them other weights, until the time is over or somebody undoes it. Each process chooses
 * targets for itself, so all of them hear it; what one of them has refused is not asked of the others.
 */
export function serveTargetOrders(server: FastifyInstance, deps: TargetOrdersDeps): void {
  const desk = new TargetDesk(deps);
  const reach = 'all';
  const list = operation('listOverrides', 'read', {
    summary: 'What operators have ordered of targets and holds now',
  });
  server.get('/overrides', list, () => desk.list());
  const order = (name: string, summary: string, body?: z.ZodType) =>
    operation(name, 'operate', { summary, reach, ...(body && { body }) });
  const [ejection, weight] = [`${TARGET_PATH}/ejection`, `${TARGET_PATH}/weight`];
  const eject = order('ejectTarget', 'Take a target out for a time', ejectionSchema);
  server.put<TargetRequest>(ejection, eject, (request, reply) => desk.eject(request, reply));
  const restore = order('restoreTarget', 'Take it back at once');
  server.delete<TargetRequest>(ejection, restore, (request, reply) => desk.undo('ejection', request, reply));
  const weigh = order('setTargetWeight', 'Give a target another weight', weightSchema);
  server.put<TargetRequest>(weight, weigh, (request, reply) => desk.weigh(request, reply));
  const unweigh = order('resetTargetWeight', 'Give it the weight of the configuration again');
  server.delete<TargetRequest>(weight, unweigh, (request, reply) => desk.undo('weight', request, reply));
}

class TargetDesk {
  readonly #snapshots: Snapshots;
  readonly #metrics: Metrics;
  readonly #rollouts: TargetOrdersDeps['rollouts'];

  constructor({ snapshots, metrics, rollouts }: TargetOrdersDeps) {
    this.#snapshots = snapshots;
    this.#metrics = metrics;
    this.#rollouts = rollouts;
  }

  list(): object {
    const { overrides } = this.#snapshots.current.upstreams;
    const rows = overrides.all().map((one) => ({
      kind: one.kind,
      upstream: one.upstream,
      target: one.target,
      ...(one.weight !== undefined && { weight: one.weight }),
      ...orderView(one),
      // One whose target has left holds for it when it comes back.
      isThere: this.#find(one.upstream, one.target) !== undefined,
    }));
    return { total: rows.length, rows };
  }

  eject(request: Asked, reply: FastifyReply): FastifyReply {
    const read = this.#read(ejectionSchema, request, reply);
    if (read === undefined) return reply;
    const { upstream, order } = read;
    const { target } = request.params;
    // What another process has let pass is done here too: targets would be in use at some of them else.
    const isForced = order.force || isEcho();
    const fault = isForced || upstream === undefined ? undefined : this.#faultOf(upstream, target);
    noteOrder(request, { forMs: order.for, force: order.force, reason: order.reason });
    if (fault !== undefined) return reply.code(409).send({ error: fault });
    const text = `${target} taken out for ${Math.round(order.for / 1000)} s`;
    return this.#put(request, reply, { kind: 'ejection', forMs: order.for, reason: order.reason, text });
  }

  weigh(request: Asked, reply: FastifyReply): FastifyReply {
    const read = this.#read(weightSchema, request, reply);
    if (read === undefined) return reply;
    const { weight, reason, for: forMs } = read.order;
    noteOrder(request, { weight, forMs, reason });
    const text = `weight of ${request.params.target} set to ${weight}`;
    return this.#put(request, reply, { kind: 'weight', weight, forMs, reason, text });
  }

  undo(kind: OverrideKind, request: Asked, reply: FastifyReply): FastifyReply {
    const { upstream, target } = request.params;
    const { upstreams } = this.#snapshots.current;
    const undone = upstreams.overrides.undo(kind, upstream, target);
    noteOrder(request, { undone: undone !== undefined, before: undone?.weight });
    const view = describeOne(upstreams, upstream, target);
    if (undone === undefined && view === undefined && !isEcho()) {
      const known = upstreams.find(upstream);
      const error = known === undefined ? noUpstream(upstream, upstreams.all()) : noTarget(known, target);
      return reply.code(404).send({ error });
    }
    if (undone !== undefined) this.#tell(request, `${kind} of ${target} undone`);
    // Undoing what there is not is no fault: whoever repeats it wants the same.
    return reply.send(view ?? { target, isThere: false });
  }

  #put(
    request: Asked,
    reply: FastifyReply,
    {
      text,
      forMs,
      ...order
    }: { text: string; forMs: number | undefined } & Pick<Override, 'kind' | 'weight' | 'reason'>,
  ): FastifyReply {
    const { upstream, target } = request.params;
    const { upstreams } = this.#snapshots.current;
    const since = Date.now();
    const until = forMs === undefined ? undefined : since + forMs;
    const isPut = upstreams.overrides.put({ ...order, upstream, target, since, until, by: givenBy(request) });
    if (!isPut) return reply.code(507).send(NO_ROOM);
    this.#tell(request, order.reason === undefined ? text : `${text}: ${order.reason}`);
    return reply.send(describeOne(upstreams, upstream, target) ?? { target, isThere: false });
  }

  #read<Schema extends z.ZodType>(
    schema: Schema,
    request: Asked,
    reply: FastifyReply,
  ): { readonly upstream: Upstream | undefined; readonly order: z.output<Schema> } | undefined {
    const order = schema.safeParse(request.body ?? {});
    if (!order.success)
      return void reply.code(400).send({ error: faultsText(order.error, schema, request.body) });
    const { upstream: name, target } = request.params;
    const { upstreams } = this.#snapshots.current;
    const upstream = upstreams.find(name);
    // Of another process that has it already, or has it still while a reload is under way: the order holds by the name.
    if (isEcho()) return { upstream, order: order.data };
    if (upstream === undefined)
      return void reply.code(404).send({ error: noUpstream(name, upstreams.all()) });
    if (this.#find(name, target) === undefined)
      return void reply.code(404).send({ error: noTarget(upstream, target) });
    return { upstream, order: order.data };
  }

  #faultOf(upstream: Upstream, target: string): string | undefined {
    return ejectionFault(
      upstream,
      target,
      askedParts(upstream.name, this.#snapshots.current, this.#rollouts),
    );
  }

  #find(upstream: string, host: string): unknown {
    const { upstreams } = this.#snapshots.current;
    return upstreams.find(upstream)?.targets.find((one) => one.host === host);
  }

  // Of several processes the one that was asked first tells it.
  #tell(request: Asked, text: string): void {
    if (isEcho()) return;
    const { upstream, target } = request.params;
    this.#metrics.changes.note({ kind: 'order', upstream, target, text: `${text}, by ${givenBy(request)}` });
  }
}

/** Whether another process has let the order pass, and tells of it. */
export function isEcho(): boolean {
  return relayed.getStore()?.isEcho === true;
}
