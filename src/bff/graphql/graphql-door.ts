import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ExecutionResult, GraphQLSchema } from 'graphql';
import { parseRequestParams, type RequestParams } from 'graphql-http';
import { enterStages } from '../../policies/stage.ts';
import { Problem } from '../../problems/problem.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Route } from '../../routing/route.ts';
import { negotiate, type GraphqlMediaType } from './accept.ts';
import { Documents } from './documents.ts';
import { refuseForeignPage } from './foreign-page.ts';
import { answerOf, refusalOf } from './graphql-answer.ts';
import type { GraphqlLimits } from './graphql.options.ts';
import { OperationContext } from './operation-context.ts';
import type { Operation } from './operation.ts';

const UNSUPPORTED_MEDIA_TYPE = 415;

/**
 * GraphQL over HTTP: reads a request, finds its operation, runs it, writes the answer. What is wrong before
 * there is an operation to run is a problem of the gateway, or an error in GraphQL's own form when it is about
 * the document. Batches and anything but a text as the document are refused.
 */
export class GraphqlDoor {
  readonly #route: Route;
  readonly #documents: Documents;
  readonly #production: boolean;

  constructor(route: Route, schema: GraphQLSchema, limits: GraphqlLimits) {
    this.#route = route;
    this.#documents = new Documents(schema, limits);
    this.#production = limits.production;
  }

  /** Enters the stages of the route, before the body is read: who may not call costs us no body. */
  readonly enter = (
    { exchange }: FastifyRequest,
    _reply: FastifyReply,
    done: (error?: Error) => void,
  ): void => {
    exchange.route = this.#route;
    try {
      const pending = enterStages(this.#route.stages, exchange);
      if (pending === undefined) done(exchange.cancelled);
      else pending.then(() => done(exchange.cancelled), done);
    } catch (error) {
      done(error as Error);
    }
  };

  /** Answers a request whose stages have passed. */
  readonly handle = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const mediaType = negotiate(request.headers.accept);
    if (mediaType === undefined) return this.#refuse(reply.code(406), 'Accept application/json or */*.');
    if (request.method !== 'POST') refuseForeignPage(request.headers);
    const params = await readParams(request);
    if (typeof params === 'string') return this.#refuse(reply.code(400), params);
    const operation = this.#documents.find(params.query, params.operationName ?? undefined);
    if (Array.isArray(operation)) return this.#refuseDocument(reply, mediaType, operation);
    return this.#run(request, reply, mediaType, operation as Operation, params);
  };

  async #run(
    ...[request, reply, mediaType, operation, { variables }]: [
      FastifyRequest,
      FastifyReply,
      GraphqlMediaType,
      Operation,
      RequestParams,
    ]
  ): Promise<FastifyReply> {
    if (operation.type === 'subscription')
      return this.#refuse(reply.code(400), 'Subscriptions are not supported.');
    if (operation.type === 'mutation' && request.method !== 'POST') {
      return this.#refuse(reply.code(405).header('allow', 'POST'), 'A mutation needs a POST.');
    }
    const context = new OperationContext(request.exchange);
    const running = operation.run(context, variables);
    const outcome = running instanceof Promise ? await untilCancelled(running, request.exchange) : running;
    if (outcome.data === undefined) return this.#refuseDocument(reply, mediaType, outcome.errors ?? []);
    const answer = answerOf(outcome, context);
    if (!answer.whole) void reply.header('cache-control', 'no-store');
    return send(reply, mediaType, answer.body);
  }

  #refuseDocument(
    reply: FastifyReply,
    mediaType: GraphqlMediaType,
    errors: NonNullable<ExecutionResult['errors']>,
  ): FastifyReply {
    // The older media type promises 200 whenever GraphQL answered at all (GraphQL over HTTP section 6.4.1).
    void reply.code(mediaType === 'application/json' ? 200 : 400).header('cache-control', 'no-store');
    return send(reply, mediaType, refusalOf(errors, this.#production));
  }

  #refuse(reply: FastifyReply, message: string): FastifyReply {
    return send(reply, 'application/json', refusalOf([{ message, locations: undefined }], this.#production));
  }
}

function send(reply: FastifyReply, mediaType: GraphqlMediaType, body: string): FastifyReply {
  return reply.header('content-type', `${mediaType}; charset=utf-8`).send(body);
}

/** Reads the parameters; answers with a sentence when they are malformed. */
async function readParams(request: FastifyRequest): Promise<RequestParams | string> {
  try {
    const params = await parseRequestParams({
      method: request.method === 'POST' ? 'POST' : 'GET',
      url: request.url,
      headers: request.headers,
      body: (request.body as string | undefined) ?? '',
      raw: request.raw,
      context: undefined,
    });
    if (!Array.isArray(params)) return params as RequestParams;
    if (params[1].status === UNSUPPORTED_MEDIA_TYPE) throw new Problem('media-type-unsupported');
    throw new Problem('method-not-allowed', { headers: { allow: 'GET, POST' } });
  } catch (error) {
    if (error instanceof Problem) throw error;
    return (error as Error).message;
  }
}

// Resolvers that do not watch the exchange are left behind when its deadline passes; the answer is its problem.
function untilCancelled(running: Promise<ExecutionResult>, exchange: Exchange): Promise<ExecutionResult> {
  if (exchange.deadlineAt === Infinity) return running;
  return new Promise((resolve, reject) => {
    exchange.onCancel(reject);
    running.then(resolve, reject).finally(() => exchange.offCancel(reject));
  });
}
