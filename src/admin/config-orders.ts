import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { faultsText } from '../config/zod-faults.ts';
import type { ConfigDesk, NotTaken, RollbackRefusal } from '../snapshot/config-desk.ts';
import type { Reload, Reloads } from '../snapshot/reloads.ts';
import { noteOrder } from './audited-orders.ts';
import { etagOf, isStillMeant, namedGenerations, sendMoved } from './config-match.ts';
import { givenBy } from './given-by.ts';
import { operation } from './operation.ts';

const reloadSchema = z.strictObject({ dryRun: z.boolean().default(false) });
const rollbackSchema = z.strictObject({
  generation: z.int().min(1),
  reason: z.string().max(200).optional(),
});
const REFUSALS: Readonly<Record<RollbackRefusal, readonly [status: number, why: string]>> = {
  unknown: [404, 'is not kept; see /config/history'],
  forgotten: [410, 'has a text that is not kept any more'],
  refused: [409, 'was refused, and never in force'],
  'in-force': [409, 'is in force already'],
};
const NOT_TAKEN: Readonly<Record<Exclude<NotTaken, 'moved'>, string>> = {
  leaving: 'the gateway is shutting down, and takes no other configuration any more',
  nobody: 'no worker was there to take it; nothing is changed, and nothing will be',
};

/** What orders about configurations are given to. */
export interface ConfigOrdersDeps {
  readonly desk: ConfigDesk;
  readonly reloads: Reloads;
}

/** Has the file read again, or an earlier configuration put into force, in all processes or in none. */
export function serveConfigOrders(server: FastifyInstance, deps: ConfigOrdersDeps): void {
  const desk = new ConfigOrderDesk(deps);
  const reload = operation('reloadConfig', 'operate', {
    summary: 'Read the file again and put it into force, or only say what would become of it',
    body: reloadSchema,
  });
  server.post('/config/reload', reload, (request, reply) => desk.reload(request, reply));
  const rollback = operation('rollBackConfig', 'operate', {
    summary: 'Put an earlier configuration into force again',
    body: rollbackSchema,
  });
  server.post('/config/rollback', rollback, (request, reply) => desk.rollback(request, reply));
}

class ConfigOrderDesk {
  readonly #deps: ConfigOrdersDeps;

  constructor(deps: ConfigOrdersDeps) {
    this.#deps = deps;
  }

  async reload(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { desk, reloads } = this.#deps;
    const order = await this.#read(reloadSchema, request, reply);
    if (order === undefined) return reply;
    noteOrder(request, { dryRun: order.dryRun });
    if (!order.dryRun) {
      const end = await desk.reload(givenBy(request), namedGenerations(request));
      return typeof end === 'string'
        ? this.#notTaken(end, request, reply)
        : this.#answer(end, request, reply);
    }
    const { generation } = await desk.place();
    return reply.send({ dryRun: true, generation, ...(await reloads.check()) });
  }

  async rollback(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const order = await this.#read(rollbackSchema, request, reply);
    if (order === undefined) return reply;
    noteOrder(request, { generation: order.generation, reason: order.reason });
    const only = namedGenerations(request);
    const end = await this.#deps.desk.rollback(order.generation, givenBy(request), only);
    if (typeof end !== 'string') return this.#answer(end, request, reply);
    if (end === 'moved' || end === 'leaving' || end === 'nobody') return this.#notTaken(end, request, reply);
    const [status, why] = REFUSALS[end];
    return reply.code(status).send({ error: `configuration ${order.generation} ${why}` });
  }

  async #notTaken(why: NotTaken, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (why !== 'moved') return reply.code(503).send({ error: NOT_TAKEN[why] });
    return sendMoved(request, reply, (await this.#deps.desk.place()).generation);
  }

  // As it was at its end: by now it may be the turn of another one.
  #answer(reload: Reload, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { outcome, faults, summary } = reload;
    const { generation, difference } = reload.place;
    noteOrder(request, { outcome, inForce: generation });
    const isRefused = outcome === 'faulty' || outcome === 'needs-restart';
    const [first] = faults;
    const more = faults.length > 1 ? `, and ${faults.length - 1} more` : '';
    const place = [first?.file, first?.line, first?.column].filter((part) => part !== undefined).join(':');
    return reply
      .code(isRefused ? 409 : 200)
      .header('etag', etagOf(generation))
      .send({
        ...(isRefused && { error: `refused (${outcome}): ${place} ${first?.key} ${first?.message}${more}` }),
        generation,
        outcome,
        faults,
        summary,
        differsFromFile: difference?.why,
      });
  }

  async #read<Schema extends z.ZodType>(
    schema: Schema,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<z.output<Schema> | undefined> {
    const order = schema.safeParse(request.body ?? {});
    if (!order.success)
      return void reply.code(400).send({ error: faultsText(order.error, schema, request.body) });
    return (await isStillMeant(request, reply, this.#deps.desk)) ? order.data : undefined;
  }
}
