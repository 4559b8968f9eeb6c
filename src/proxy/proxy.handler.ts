import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type {} from '../exchange/exchange-of.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { enterStages, type Entered } from '../policies/stage.ts';
import { Problem } from '../problems/problem.ts';
import { renderProblem } from '../problems/render-problem.ts';
import type { Route } from '../routing/route.ts';
import { Snapshots } from '../snapshot/snapshots.ts';
import { AnswerWriter } from './answer-writer.ts';
import { EventStreams } from './event-streams.ts';

/** Door 1: takes every request that no controller owns through match, the stages of its route, and its action. */
@Injectable()
export class ProxyHandler {
  @Inject(EventStreams) private readonly events!: EventStreams;

  constructor(private readonly snapshots: Snapshots) {}

  /** Handles one request; the answer is written past Fastify, as a stream. */
  handle(request: FastifyRequest, reply: FastifyReply): void {
    reply.hijack();
    const { exchange } = request;
    let route: Route;
    try {
      route = this.snapshots.for(exchange).table.match(exchange);
      // A code-first route that Fastify did not take: its path differs in something that must not differ.
      if (route.door === 'handler') throw new Problem('route-not-found');
    } catch (error) {
      return renderProblem(exchange, error);
    }
    try {
      this.#enter(exchange, route);
    } catch (error) {
      this.#refuse(exchange, route, error);
    }
  }

  #enter(exchange: Exchange, route: Route): void {
    const { action } = route;
    const stages = action.stagesOf === undefined ? route.stages : action.stagesOf(exchange, route);
    const entered = enterStages(stages, exchange);
    if (!(entered instanceof Promise)) return this.#answer(exchange, route, entered);
    entered
      .then((answer) => this.#answer(exchange, route, answer))
      .catch((error: unknown) => this.#refuse(exchange, route, error));
  }

  #answer(exchange: Exchange, route: Route, answer: Entered): void {
    const writer = new AnswerWriter(exchange, route, this.events);
    if (exchange.cancelled !== undefined) return writer.fail(exchange.cancelled);
    if (answer !== undefined) return writer.replay(answer);
    route.action.answer(exchange, route, writer);
  }

  #refuse(exchange: Exchange, route: Route, error: unknown): void {
    new AnswerWriter(exchange, route).fail(
      error instanceof Problem ? error : new Problem('internal', { cause: error }),
    );
  }
}
