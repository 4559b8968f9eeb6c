import type { FastifyInstance, FastifyReply } from 'fastify';
import type {} from '../exchange/exchange-of.ts';
import { editParsed, incomingEditOf } from '../policies/transform/incoming-body.ts';
import { answerEditOf, editedAnswer } from '../policies/transform/transform.interceptor.ts';

/**
 * Edits what handlers get and answer as the stages of their route say. Here and not in an interceptor: those are seated when
 * the gateway starts, and a reload may mask what was not masked before.
 */
export function editAnswers(fastify: FastifyInstance): void {
  const edited = new WeakSet<FastifyReply>();
  // What a parser has made of a body, before a handler sees it.
  fastify.addHook('preValidation', (request, _reply, done) => {
    const { route } = request.exchange;
    const incoming = route === undefined ? undefined : incomingEditOf(route.incoming);
    if (incoming === undefined) return done();
    attempt(
      (error) => done(error ?? undefined),
      () => (request.body = editParsed(request.exchange, request.body, incoming)),
    );
  });
  // Values, before they are text.
  fastify.addHook('preSerialization', (request, reply, payload, done) => {
    const edit = answerEditOf(request.exchange, reply.statusCode);
    if (edit === undefined) return done(null, payload);
    edited.add(reply);
    attempt(done, () => edit.apply(payload));
  });
  // What is sent as it is: texts, bytes, streams.
  fastify.addHook('onSend', (request, reply, payload, done) => {
    const edit = answerEditOf(request.exchange, reply.statusCode);
    const isDone = edit === undefined || payload === null || payload === undefined || edited.has(reply);
    if (isDone || request.exchange.isReplayed) return done(null, payload);
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
