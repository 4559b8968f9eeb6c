import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { LOG_LEVELS } from '../config/log-levels.ts';
import { timerDuration } from '../config/units.ts';
import { faultsText } from '../config/zod-faults.ts';
import { LogLevel } from '../telemetry/log-level.ts';
import type { AdminOrders } from './admin-orders.ts';
import { noteOrder } from './audited-orders.ts';
import { operation } from './operation.ts';

/** Where the level of the log is shown and changed. */
export const LOG_LEVEL_PATH = '/log-level';

const DAY_MS = 86_400_000;

/** What `PUT /log-level` takes. */
export const levelOrderSchema = z.strictObject({
  level: z.enum(LOG_LEVELS),
  for: timerDuration
    .refine((ms) => ms > 0 && ms <= DAY_MS, 'expected more than nothing, and 1d at most')
    .prefault('10m'),
});

/**
 * Shows the level of the log, and has it another one for a while: `PUT {"level": "debug", "for": "10m"}`; `DELETE` goes back at
 * once. Each process has a log of its own, so all of them hear it.
 */
export function serveLogLevel(server: FastifyInstance, orders: Pick<AdminOrders, 'level' | 'logger'>): void {
  const { level = new LogLevel(orders.logger) } = orders;
  const reach = 'all';
  const show = operation('showLogLevel', 'read', { summary: 'The level of the log' });
  server.get(LOG_LEVEL_PATH, show, () => level.shown);
  const change = operation('setLogLevel', 'operate', {
    summary: 'Give the log another level for a while',
    body: levelOrderSchema,
    reach,
  });
  server.put(LOG_LEVEL_PATH, change, (request, reply) => {
    const read = levelOrderSchema.safeParse(request.body);
    if (!read.success)
      return reply.code(400).send({ error: faultsText(read.error, levelOrderSchema, request.body) });
    noteOrder(request, { level: read.data.level, before: level.shown.level, forMs: read.data.for });
    level.change(read.data.level, read.data.for);
    return reply.send(level.shown);
  });
  const reset = operation('resetLogLevel', 'operate', { summary: 'Go back to the usual level', reach });
  server.delete(LOG_LEVEL_PATH, reset, (request: FastifyRequest, reply: FastifyReply) => {
    noteOrder(request, { before: level.shown.level });
    level.reset();
    return reply.send(level.shown);
  });
}
