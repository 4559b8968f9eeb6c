import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendStageAnswer } from '../../../exchange/stage-answer.ts';
import { enterStages } from '../../../policies/stage.ts';
import { admit, enterAt, leaveUnread, type Done } from '../../../routing/admission.ts';
import { negotiate, type GraphqlMediaType } from './accept.ts';
import { AnswerFreshness } from './answer-freshness.ts';
import { refuseForeignPage } from './foreign-page.ts';
import { operationEnd } from '../execution/operation-end.ts';
import { readRequest, type GraphqlRequest } from './graphql-request.ts';
import type { RouteOf } from './graphql.route.ts';
import type { GraphqlStreams } from '../live/graphql-streams.ts';
import type { GraphqlUpgrades } from '../live/graphql-upgrades.ts';
import type { HttpAnswers } from './http-answers.ts';
import type { OperationContext } from '../execution/operation-context.ts';
import type { Answered } from '../execution/operation-result.ts';
import type { OperationRunner } from '../execution/operation-runner.ts';
import { hasCredential } from '../live/socket-identity.ts';

/** The doors for operations that do not come as one HTTP request each. */
export interface LiveDoors {
  readonly upgrades: GraphqlUpgrades;
  readonly streams: GraphqlStreams;
}

/**
 * GraphQL over HTTP: reads a request, has its operation run, writes the answer. What the stages or a deadline say is a
 * problem of the gateway; what is wrong with the request, its document or its variables is told in GraphQL's own form.
 * Batches and anything but a text as the document are refused.
 */
export class GraphqlDoor {
  readonly #routeOf: RouteOf;
  readonly #runner: OperationRunner;
  readonly #answers: HttpAnswers;
  readonly #live: LiveDoors | undefined;

  /** @param live the doors for operations that do not come as one HTTP request each. */
  constructor(routeOf: RouteOf, runner: OperationRunner, answers: HttpAnswers, live?: LiveDoors) {
    this.#routeOf = routeOf;
    this.#runner = runner;
    this.#answers = answers;
    this.#live = live;
  }

  /** Enters the stages of the route, before the body is read: who may not call costs us no body. */
  readonly enter = (request: FastifyRequest, reply: FastifyReply, done: Done): void => {
    const { exchange, raw } = request;
    const route = this.#routeOf(exchange);
    if (this.#live?.upgrades.has(raw) !== true) {
      return admit(route, reply, (error) => {
        if (error === undefined) leaveUnread(request, reply);
        else if (asksForOperation(request)) this.#runner.refused(error, exchange);
        done(error);
      });
    }
    exchange.route = route;
    // Browsers cannot send a credential with the handshake; it comes with the first message, and is checked then.
    const { handshake, edge } = route.live;
    enterAt(hasCredential(raw) ? handshake : edge, reply, done);
  };

  /** Answers a request whose stages have passed. */
  readonly handle = async (
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply | undefined> => {
    if (this.#live?.upgrades.has(request.raw)) return void this.#live.upgrades.accept(request, reply);
    const { exchange, method } = request;
    const isStream = this.#live?.streams.wants(request) === true;
    const { afterBody, live } = this.#routeOf(exchange);
    const entered = enterStages(isStream ? live.stream : afterBody, exchange);
    const answer = entered instanceof Promise ? await entered : entered;
    if (answer !== undefined) return sendStageAnswer(reply, answer);
    if (isStream) {
      if (method === 'GET') refuseForeignPage(exchange);
      return void (await this.#live?.streams.handle(request, reply));
    }
    const mediaType = negotiate(request.headers.accept);
    if (mediaType === undefined)
      return this.#answers.notAcceptable(reply, 406, 'Accept application/json or */*.');
    if (method !== 'POST') refuseForeignPage(exchange);
    const asked = await readRequest(request);
    let freshness: AnswerFreshness | undefined;
    const result = await this.#runner.run({
      request: asked,
      exchange,
      takes: method === 'POST' ? WRITES : READS,
      begins: isKeepable(method, asked) ? (context) => (freshness = freshnessOf(context)) : undefined,
    });
    if (result.kind === 'failed') throw result.error;
    exchange.keeper?.operation(operationEnd(result));
    if (result.kind === 'refused') return this.#answers.refused(reply, result, mediaType);
    // Not taken here, so that nothing is opened.
    if (result.kind === 'opened') throw new Error('a subscription over HTTP');
    return this.#write(reply, result, mediaType, freshness);
  };

  #write(
    reply: FastifyReply,
    { outcome, value, cache }: Answered,
    mediaType: GraphqlMediaType,
    freshness: AnswerFreshness | undefined,
  ): FastifyReply {
    const body = JSON.stringify(value);
    // A plan is about one execution, and not for everybody.
    if (outcome !== 'ok' || value.extensions?.['plan'] !== undefined)
      void reply.header('cache-control', 'no-store');
    else if (freshness?.announce(reply, cache, body) === 'known') return reply.code(304).send();
    const kind = value.errors === undefined ? 'whole' : 'partial';
    return this.#answers.answered(reply, kind, body, mediaType);
  }
}

const READS = Object.freeze({ mutations: false, subscriptions: false });
const WRITES = Object.freeze({ mutations: true, subscriptions: false });

function freshnessOf(context: OperationContext): AnswerFreshness | undefined {
  return context.plan === undefined ? new AnswerFreshness(context) : undefined;
}

// Only what is asked for by its hash: a text in the address is never the same twice.
function isKeepable(method: string, asked: GraphqlRequest | string): boolean {
  if (method === 'POST' || typeof asked === 'string') return false;
  return asked.documentId !== undefined || asked.persisted !== undefined;
}

/** Whether it is more than the opening or the end of a stream. */
function asksForOperation({ method, query }: FastifyRequest): boolean {
  if (method === 'POST') return true;
  const fields = query as Readonly<Record<string, unknown>> | undefined;
  return (
    method === 'GET' && ['query', 'documentId', 'extensions'].some((name) => fields?.[name] !== undefined)
  );
}
