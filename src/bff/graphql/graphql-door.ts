import type { FastifyReply, FastifyRequest } from 'fastify';
import { GraphQLError, type ExecutionResult } from 'graphql';
import type { Exchange } from '../../exchange/exchange.ts';
import { enterStages } from '../../policies/stage.ts';
import { Problem } from '../../problems/problem.ts';
import { admit, leaveUnread, type Done } from '../../routing/admission.ts';
import { negotiate, type GraphqlMediaType } from './accept.ts';
import { isFaults } from './documents.ts';
import { grant } from './field-policies.ts';
import type { Requirement } from './field-requirements.ts';
import { refuseForeignPage } from './foreign-page.ts';
import { AnswerFreshness } from './answer-freshness.ts';
import { answerOf, refusalOf } from './graphql-answer.ts';
import { readRequest, type GraphqlRequest } from './graphql-request.ts';
import type { GraphqlLimits } from './graphql.options.ts';
import type { GraphqlUpgrades } from './graphql-upgrades.ts';
import { OperationContext } from './operation-context.ts';
import type { OperationMeter } from './operation-meters.ts';
import { OperationPlan, showsPlan } from './operation-plan.ts';
import type { RouteOf } from './graphql.route.ts';
import type { OperationFinder } from './operation-finder.ts';
import { requestedCost, tooDear, type PreparedOperation } from './prepared-operation.ts';
import type { GraphqlStreams } from './graphql-streams.ts';
import { enterSocketStages, hasCredential } from './socket-identity.ts';

import { statusOf, typeOf, type Outcome } from './status-rules.ts';

/** The doors for operations that do not come as one HTTP request each. */
export interface LiveDoors {
  readonly upgrades: GraphqlUpgrades;
  readonly streams: GraphqlStreams;
}

type Errors = NonNullable<ExecutionResult['errors']>;
/** Everything that one request over HTTP has by the time it is answered. */
interface Asked {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly mediaType: GraphqlMediaType;
  readonly params: GraphqlRequest;
  /** Takes note of the execution, for who may see it. */
  readonly plan: OperationPlan | undefined;
}

/** What requests are counted with that are wrong for their method. */
const REFUSED = [{ extensions: { code: 'request-invalid' } }];

/**
 * GraphQL over HTTP: reads a request, finds its operation, runs it, writes the answer. What is wrong before
 * there is an operation to run is a problem of the gateway, or an error in GraphQL's own form when it is about
 * the document. Batches and anything but a text as the document are refused.
 */
export class GraphqlDoor {
  readonly #routeOf: RouteOf;
  readonly #finder: OperationFinder;
  readonly #limits: GraphqlLimits;
  readonly #live: LiveDoors | undefined;

  /** @param live the doors for operations that do not come as one HTTP request each. */
  constructor(routeOf: RouteOf, finder: OperationFinder, limits: GraphqlLimits, live?: LiveDoors) {
    this.#live = live;
    this.#routeOf = routeOf;
    this.#finder = finder;
    this.#limits = limits;
  }

  /** Enters the stages of the route, before the body is read: who may not call costs us no body. */
  readonly enter = (request: FastifyRequest, reply: FastifyReply, done: Done): void => {
    const { exchange, raw } = request;
    if (this.#live?.upgrades.has(raw) !== true) {
      return admit(this.#routeOf(exchange), request, (error) => {
        if (error === undefined) leaveUnread(request, reply);
        done(error);
      });
    }
    const route = (exchange.route = this.#routeOf(exchange));
    // Browsers cannot send a credential with the handshake; it comes with the first message, and is checked then.
    if (!hasCredential(raw)) return done();
    try {
      const pending = enterSocketStages(route, exchange);
      if (pending === undefined) done(exchange.cancelled);
      else pending.then(() => done(exchange.cancelled), done);
    } catch (error) {
      done(error as Error);
    }
  };

  /** Answers a request whose stages have passed. */
  readonly handle = async (
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply | undefined> => {
    if (this.#live?.upgrades.has(request.raw)) return void this.#live.upgrades.accept(request, reply);
    const pending = enterStages(this.#routeOf(request.exchange).afterBody, request.exchange);
    if (pending !== undefined) await pending;
    if (this.#live?.streams.wants(request)) {
      if (request.method === 'GET') refuseForeignPage(request.headers);
      return void (await this.#live.streams.handle(request, reply));
    }
    const mediaType = negotiate(request.headers.accept);
    if (mediaType === undefined) return this.#refuse(reply.code(406), 'Accept application/json or */*.');
    if (request.method !== 'POST') refuseForeignPage(request.headers);
    const params = await readRequest(request);
    if (typeof params === 'string') {
      this.#finder.meters.unknown.ended('refused', request.exchange.startedAt, REFUSED);
      const status = statusOf(this.#limits.statusRules, malformed(params), mediaType);
      return this.#refuse(reply.code(status), params);
    }
    const plan = showsPlan(this.#limits, request.exchange, params)
      ? new OperationPlan(this.#finder.originOf(params))
      : undefined;
    const asked = { request, reply, mediaType, params, plan };
    const finding = this.#finder.find(params, request.exchange);
    const found = finding instanceof Promise ? await finding : finding;
    if (isFaults(found)) return this.#refuseDocument(asked, found, this.#finder.meters.unknown);
    try {
      return await this.#run(asked, found);
    } catch (error) {
      found.meter.threw(error, request.exchange.startedAt);
      // What its deadline ended shows what was under way, to who may see it.
      if (plan === undefined || error !== request.exchange.cancelled) throw error;
      throw plan.endedBy(error, found, params.variables);
    }
  };

  async #run(asked: Asked, prepared: PreparedOperation): Promise<FastifyReply> {
    const { request, reply, params } = asked;
    const { operation, requirements, meter } = prepared;
    const { startedAt } = request.exchange;
    if (operation.type === 'subscription') {
      meter.ended('refused', startedAt, REFUSED);
      return this.#refuse(reply.code(400), 'Subscriptions need a WebSocket or "Accept: text/event-stream".');
    }
    if (operation.type === 'mutation' && request.method !== 'POST') {
      meter.ended('refused', startedAt, REFUSED);
      return this.#refuse(reply.code(405).header('allow', 'POST'), 'A mutation needs a POST.');
    }
    const { cost: limit, denied } = this.#limits;
    const cost = limit && requestedCost(prepared, params.variables, limit.max);
    const shown = cost && { cost };
    if (cost !== undefined) meter.costs(cost.requested);
    if (cost !== undefined && isTooDear(cost, limit?.mode, prepared))
      return this.#refuseDocument(asked, [tooDear(cost)], meter, shown);
    const context = new OperationContext(request.exchange);
    asked.plan?.begin(context);
    const freshness = isKeepable(asked) ? new AnswerFreshness(context) : undefined;
    if (requirements.length > 0) {
      context.granted = await grant(requirements, request.exchange);
      if (denied === 'operation') refuseUnless(context.granted, requirements);
    }
    const running = operation.run(context, params.variables);
    const outcome = running instanceof Promise ? await untilCancelled(running, request.exchange) : running;
    if (outcome.data === undefined) return this.#refuseDocument(asked, outcome.errors ?? [], meter, shown);
    const plan = asked.plan && { plan: asked.plan.shown(prepared, params.variables) };
    const answer = answerOf(outcome, context, plan ? { ...shown, ...plan } : shown);
    meter.ended(answer.outcome, startedAt, answer.errors);
    if (answer.outcome !== 'ok' || plan !== undefined) void reply.header('cache-control', 'no-store');
    else if (freshness?.announce(reply, prepared.cache, answer.body) === 'known')
      return reply.code(304).send();
    const kind = outcome.errors === undefined ? 'whole' : 'partial';
    return this.#send(asked, kind, answer.body);
  }

  #refuseDocument(
    asked: Asked,
    errors: Errors,
    meter: OperationMeter,
    shown?: Record<string, unknown>,
  ): FastifyReply {
    meter.ended('refused', asked.request.exchange.startedAt, errors);
    void asked.reply.header('cache-control', 'no-store');
    const body = refusalOf(errors, this.#limits.production, shown);
    return this.#send(asked, errors.some(isSyntaxError) ? 'unparsable' : 'refused', body);
  }

  #refuse(reply: FastifyReply, message: string): FastifyReply {
    const body = refusalOf([new GraphQLError(message)], this.#limits.production);
    const { statusRules } = this.#limits;
    return write(reply, typeOf(statusRules, 'malformed', 'application/json'), body);
  }

  #send({ reply, mediaType }: Asked, outcome: Outcome, body: string): FastifyReply {
    const { statusRules } = this.#limits;
    void reply.code(statusOf(statusRules, outcome, mediaType));
    return write(reply, typeOf(statusRules, outcome, mediaType), body);
  }
}

function write(reply: FastifyReply, mediaType: GraphqlMediaType, body: string): FastifyReply {
  return reply.header('content-type', `${mediaType}; charset=utf-8`).send(body);
}

function isTooDear(
  { requested, max }: { readonly requested: number; readonly max: number },
  mode: 'measure' | 'enforce' | undefined,
  { trusted }: PreparedOperation,
): boolean {
  return mode === 'enforce' && !trusted && requested > max;
}

/** @throws {Problem} `permission-denied` when a requirement that is no mask was not granted. */
function refuseUnless(granted: ReadonlySet<Requirement>, requirements: readonly Requirement[]): void {
  const lacking = requirements.find((one) => !one.masks && !granted.has(one));
  if (lacking !== undefined) throw new Problem('permission-denied', { by: lacking.by });
}

// Only what is asked for by its hash: a text in the address is never the same twice.
function isKeepable({ request: { method }, params: { documentId, persisted }, plan }: Asked): boolean {
  // A plan is about one execution, and not for everybody.
  if (plan !== undefined) return false;
  return method !== 'POST' && (documentId !== undefined || persisted !== undefined);
}

function malformed(message: string): Outcome {
  return message.startsWith('Unparsable') ? 'broken' : 'malformed';
}

function isSyntaxError({ message }: { readonly message: string }): boolean {
  return message.startsWith('Syntax Error');
}

// Resolvers that do not watch the exchange are left behind when its deadline passes; the answer is its problem.
function untilCancelled(running: Promise<ExecutionResult>, exchange: Exchange): Promise<ExecutionResult> {
  if (exchange.deadlineAt === Infinity) return running;
  return new Promise((resolve, reject) => {
    exchange.onCancel(reject);
    running.then(resolve, reject).finally(() => exchange.offCancel(reject));
  });
}
