import type { FastifyInstance, FastifyReply } from 'fastify';
import type {} from '../exchange/exchange-of.ts';
import { answerEditOf, editedAnswer } from '../policies/transform/transform.interceptor.ts';

/**
 * Edits the answers of handlers as the stages of their route say. Here and not in an interceptor: those are seated when
 * the gateway starts, and a reload may mask what was not masked before.
 */
export function editAnswers(fastify: FastifyInstance): void {
  const edited = new WeakSet<FastifyReply>();
  // Values, before they are text.
  fastify.addHook('preSerialization', (request, reply, payload, done) => {
    const edit = answerEditOf(request.exchange);
    if (edit === undefined) return done(null, payload);
    edited.add(reply);
    attempt(done, () => edit(payload));
  });
  // What is sent as it is: texts, bytes, streams.
  fastify.addHook('onSend', (request, reply, payload, done) => {
    const edit = answerEditOf(request.exchange);
    const isDone = edit === undefined || payload === null || payload === undefined || edited.has(reply);
    if (isDone) return done(null, payload);
    attempt(done, () => {
      const value = editedAnswer(payload, edit, reply);
      if (value !== payload) void reply.removeHeader('content-length');
      return value;
    });
  });
}

function attempt(done: (error: Error | null, payload?: unknown) => void, edit: () => unknown): void {
  let payload: unknown;
  try {
    payload = edit();
  } catch (error) {
    return done(error as Error);
  }
  done(null, payload);
}
