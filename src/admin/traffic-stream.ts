import type { FastifyInstance } from 'fastify';
import { MOST_STREAMS, type StreamHub } from '../traffic/stream/stream-hub.ts';
import { ANSWER_FIELDS } from './answer-fields.ts';
import { relayed } from './relayed-requests.ts';
import { operation } from './operation.ts';
import { queries, readQuery } from './traffic-queries.ts';

const HEADERS = {
  ...ANSWER_FIELDS,
  'content-type': 'text/event-stream; charset=utf-8',
  // A proxy in front would hold back what is small.
  'x-accel-buffering': 'no',
};
const RETRY_MS = 1000;
const FULL = { error: `there are ${MOST_STREAMS} streams already: close some tabs of the console` };
const RETRY_AFTER_S = '10';

/**
 * Shows a view live, as events (HTML, section 9.2). Where several processes serve, each answer of a worker goes through another
 * process, and is one frame; who reads it comes back each second and says what it has seen.
 */
export function serveStream(server: FastifyInstance, hub: StreamHub): void {
  const live = operation('stream', 'read', {
    summary: 'A view live, as server-sent events',
    query: queries.stream,
    media: 'text/event-stream',
  });
  server.get('/stream', live, async (request, reply) => {
    const asked = readQuery(queries.stream, request.query, reply);
    if (asked === undefined) return reply;
    const given = request.headers['last-event-id'];
    const lastId = typeof given === 'string' ? given : undefined;
    if (relayed.getStore() !== undefined) {
      const text = await hub.once(asked, lastId);
      return reply.headers(HEADERS).send(`retry: ${RETRY_MS}\n\n${text}`);
    }
    if (hub.isFull) return reply.code(503).header('retry-after', RETRY_AFTER_S).send(FULL);
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, HEADERS);
    // So that whoever waits for it knows that it has begun.
    raw.write(`retry: ${RETRY_MS}\n\n`);
    // Node keeps nothing of who is slow beyond this: the rest is made when it is wanted.
    const end = await hub.open(asked, raw, lastId).catch(() => () => void raw.destroy());
    if (raw.destroyed) end();
    else raw.once('close', end);
    return reply;
  });
}
