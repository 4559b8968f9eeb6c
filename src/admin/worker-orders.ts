import type { FastifyInstance } from 'fastify';
import type { AdminOrders } from './admin-orders.ts';
import { operation } from './operation.ts';

/** Where the processes that serve are shown, and restarted below. */
export const WORKERS_PATH = '/workers';

const ALONE = { error: 'one process serves alone here; WORKERS says how many do' };

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
  server.post(`${WORKERS_PATH}/restart`, again, (_request, reply) => {
    if (restart === undefined) return reply.code(409).send(ALONE);
    restart('order');
    return reply.code(202).send({ restarting: true, see: WORKERS_PATH });
  });
}
