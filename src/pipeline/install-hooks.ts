import type { DoneFuncWithErrOrRes, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Readable, type Duplex } from 'node:stream';
import { editedPayload } from '../exchange/answer-stream.ts';
import type {} from '../exchange/exchange-of.ts';
import type { Answer, Exchange } from '../exchange/exchange.ts';
import { enterAt, type Done } from '../routing/admission.ts';
import { isLiftedKey } from '../exchange/key-places.ts';
import { heldToLength } from '../exchange/promised-length.ts';
import { finishReply } from '../exchange/reply-head.ts';
import { sendStageAnswer } from '../exchange/stage-answer.ts';
import { recordReply } from '../policies/cache/handler-answer.ts';
import { renderProblem, toProblem } from '../problems/render-problem.ts';
import { shadowOf } from './background-runs.ts';
import { continueOnRead } from './awaited-continue.ts';
import { answerConnects } from './connect-requests.ts';
import type { CloseHook } from './close.hook.ts';
import type { OpenHook } from './open.hook.ts';
import { mustWait, waitForTurn } from './pipelined-requests.ts';

/** Registers open (before everything), close (after everything), and what finishes the heads of handlers' answers. */
export function installHooks(fastify: FastifyInstance, open: OpenHook, close: CloseHook): void {
  fastify.decorateRequest('exchange', null as unknown as Exchange);
  const begin = (request: FastifyRequest, reply: FastifyReply, done: DoneFuncWithErrOrRes): void => {
    const exchange = open.open(request.raw, reply.raw);
    request.exchange = exchange;
    if (isLiftedKey(request.raw)) forgetKey(request);
    close.watch(exchange);
    let answer: Answer | undefined;
    try {
      answer = open.check(exchange, request.originalUrl);
    } catch (error) {
      return done(error as Error);
    }
    const goOn = answer === undefined ? pastPreflight(open, reply, done) : answering(answer, reply, done);
    const entrance = open.entranceOf(exchange);
    if (entrance.length === 0) goOn();
    else enterAt(entrance, reply, goOn);
  };
  fastify.addHook('onRequest', (request, reply, done) => {
    const shadow = shadowOf(request.raw);
    if (shadow !== undefined) {
      request.exchange = shadow;
      forgetKey(request);
      done();
    } else if (mustWait(reply.raw)) waitForTurn(request.raw, reply.raw, () => begin(request, reply, done));
    else begin(request, reply, done);
  });
  // `node:http` would answer both by itself, past everything; the open stage refuses what it does not know.
  fastify.server.on('checkExpectation', (request, response) => {
    fastify.server.emit('request', request, response);
  });
  fastify.server.on('checkContinue', (request, response) => {
    continueOnRead(request, response);
    fastify.server.emit('request', request, response);
  });
  answerConnects(fastify);
  // The proxy writes its own heads; this is for handlers.
  fastify.addHook('onSend', (request, reply, payload, done) => {
    request.exchange.outdates?.answered(request.exchange, reply.statusCode, placesOf(reply));
    if (typeof payload === 'string') request.exchange.bytesOut = Buffer.byteLength(payload);
    let sent = payload;
    let stream: Duplex | undefined;
    try {
      sent = recordReply(request.exchange, reply, payload);
      stream = finishReply(request.exchange, reply, sent);
    } catch (error) {
      return refuseInstead(request.exchange, reply, { error, payload: sent });
    }
    if (stream === undefined) whenKept(request.exchange, heldToLength(reply, sent), done);
    else done(null, editedPayload(request.exchange, sent, stream));
  });
}

// An answer without a body is whole with its head.
function whenKept({ keeper }: Exchange, sent: unknown, done: (error: null, sent: unknown) => void): void {
  const kept = keeper?.ended();
  if (kept === undefined) done(null, sent);
  else void kept.then(() => done(null, sent));
}

// Where else something may have changed.
function placesOf(reply: FastifyReply): string[] {
  return ['location', 'content-location'].flatMap((name) => {
    const place = reply.getHeader(name);
    return typeof place === 'string' ? [name, place] : [];
  });
}

// Fastify has read the query before anybody could take something out of it.
function forgetKey({ query, exchange }: FastifyRequest): void {
  const name = exchange.snapshot?.edge.keyPlaces?.query;
  if (name !== undefined) delete (query as Record<string, unknown>)[name];
}

/**
 * Has the preflight of a browser answered where its route says so, whoever would answer the request that the page has in
 * mind; any other request goes on.
 */
function pastPreflight(open: OpenHook, reply: FastifyReply, done: Done): Done {
  const stages = open.preflightOf(reply.request.exchange);
  if (stages.length === 0) return done;
  return (error) => {
    if (error === undefined) enterAt(stages, reply, done);
    else done(error);
  };
}

/** Answers where a request would go on. */
function answering(answer: Answer, reply: FastifyReply, done: Done): Done {
  return (error) => {
    if (error === undefined) sendStageAnswer(reply, answer);
    else done(error);
  };
}

// Never calls Fastify back, which has no part in what is answered now.
function refuseInstead(
  exchange: Exchange,
  reply: FastifyReply,
  { error, payload }: { readonly error: unknown; readonly payload: unknown },
): void {
  const problem = toProblem(error);
  reply.hijack();
  renderProblem(exchange, problem);
  // Before a stream learns that nobody takes it, which it would tell as the client's leaving.
  exchange.cancel(problem);
  if (payload instanceof Readable) payload.destroy();
}
