import type { FastifyInstance } from 'fastify';
import type { AdminOrders } from './admin-orders.ts';
import { noteOrder } from './audited-orders.ts';
import { operation } from './operation.ts';

/** Where the processes that serve are shown, and restarted below. */
export const WORKERS_PATH = '/workers';

const ALONE = { error: 'one process serves alone here; WORKERS says how many do' };
const LEAVING = { error: 'the gateway is shutting down; nothing is restarted' };
const UNDER_WAY =
  'a restart is under way and goes on; workers that it has replaced already are not replaced again';

/** Since when this process is there. */
const STARTED_AT = new Date(Date.now() - process.uptime() * 1000).toISOString();

/** Shows the one process that serves, and takes the order to restart those that serve together. */
export function serveWorkers(server: FastifyInstance, { restart }: Pick<AdminOrders, 'restart'>): void {
  // Where there are several, whoever has started them answers this.
  server.get(WORKERS_PATH, operation('listWorkers', 'read', { summary: 'The processes that serve' }), () => ({
    wanted: 1,
    workers: [{ worker: 1, pid: process.pid, state: 'serving', startedAt: STARTED_AT }],
  }));
  const again = operation('restartWorkers', 'operate', {
    summary: 'Replace all workers, one after the other',
    status: 202,
  });
  server.post(`${WORKERS_PATH}/restart`, again, async (request, reply) => {
    if (restart === undefined) return reply.code(409).send(ALONE);
    const begin = await restart('order');
    noteOrder(request, { begin });
    if (begin === 'leaving') return reply.code(503).send(LEAVING);
    const isOther = begin === 'under-way' && { note: UNDER_WAY };
    return reply.code(202).send({ restarting: true, ...isOther, see: WORKERS_PATH });
  });
}
