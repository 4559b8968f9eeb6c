import type { FastifyInstance } from 'fastify';
import type { KeptExchanges } from '../traffic/kept-exchanges.ts';
import { brief } from '../traffic/operation-rows.ts';
import { operation } from './operation.ts';
import { partOf, queries, readQuery, workerNote } from './traffic-queries.ts';

/** Shows exchanges that were refused, have failed, or are among the slowest. */
export function serveExchanges(server: FastifyInstance, kept: KeptExchanges): void {
  const list = operation('listExchanges', 'read', {
    summary: 'Requests that were refused, failed or slow',
    query: queries.exchanges,
  });
  server.get('/exchanges', list, async ({ query }, reply) => {
    const asked = readQuery(queries.exchanges, query, reply);
    if (asked === undefined) return reply;
    return { ...partOf(kept.list(asked).map(brief), asked), kept: kept.counts };
  });
  const show = operation('showExchange', 'read', {
    summary: 'One of them: why, where that is said, its line',
  });
  server.get<{ Params: { id: string } }>('/exchanges/:id', show, async ({ params }, reply) => {
    const found = kept.find(params.id);
    if (found !== undefined) return { ...found, ...workerNote() };
    const { since, skipped } = kept.counts;
    const error =
      since === null
        ? 'no exchange is kept yet: only those that are refused, fail or are among the slowest of their route are'
        : `this exchange is not kept, or not any more; kept are some since ${since}: refused, failed and slow ones`;
    return reply.code(404).send({ error, since, skipped, ...workerNote() });
  });
}
