import type { FastifyInstance, FastifyRequest } from 'fastify';
import { MOST_STREAMS, MOST_STREAMS_OF_ONE, type StreamHub } from '../traffic/stream/stream-hub.ts';
import { callerOf } from './access/guard.ts';
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
const REFUSALS = {
  share: [
    429,
    `you have ${MOST_STREAMS_OF_ONE} streams already, which is as many as one operator may have: close some tabs of the console`,
  ],
  full: [503, `all ${MOST_STREAMS} streams are taken: close some tabs of the console`],
} as const;
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
    const who = readerOf(request);
    const refusal = hub.refusal(who);
    if (refusal !== undefined) {
      const [status, error] = REFUSALS[refusal];
      return reply.code(status).header('retry-after', RETRY_AFTER_S).send({ error });
    }
    reply.hijack();
    const { raw } = reply;
    raw.writeHead(200, HEADERS);
    // So that whoever waits for it knows that it has begun.
    raw.write(`retry: ${RETRY_MS}\n\n`);
    // Node keeps nothing of who is slow beyond this: the rest is made when it is wanted.
    const end = await hub.open(asked, { sink: raw, who, lastId }).catch(() => () => void raw.destroy());
    if (raw.destroyed) end();
    else raw.once('close', end);
    return reply;
  });
}

// By name, whatever it was shown by and from wherever: an operator has one share. Nobody has a name where none is asked for.
function readerOf(request: FastifyRequest): string {
  const name = callerOf(request)?.name;
  return name === undefined ? `address ${request.ip}` : `operator ${name}`;
}
