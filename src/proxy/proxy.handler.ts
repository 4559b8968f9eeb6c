import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type {} from '../exchange/exchange-of.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { countingBody } from '../policies/body-limit/counting-body.ts';
import { enterStages } from '../policies/stage.ts';
import { Problem } from '../problems/problem.ts';
import { renderProblem } from '../problems/render-problem.ts';
import type { Route } from '../routing/route.ts';
import { Snapshots } from '../snapshot/snapshots.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { hasBody, HttpForwarding, type Outbound } from '../upstreams/http/http-forwarder.ts';
import { outboundHeaders } from '../upstreams/http/request-headers.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { AggregateAnswers } from './aggregate/aggregate-answers.ts';
import { AnswerWriter } from './answer-writer.ts';
import { TranscodedAnswers } from './transcoded-answers.ts';

/** Door 1: takes every request that no controller owns through match, the stages of its route, and forward. */
@Injectable()
export class ProxyHandler {
  constructor(
    private readonly snapshots: Snapshots,
    private readonly metrics: Metrics,
    private readonly transcodings: TranscodedAnswers,
    private readonly aggregates: AggregateAnswers,
  ) {}

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
    const stages = route.grpc === undefined ? route.stages : this.transcodings.stagesOf(exchange, route);
    const pending = enterStages(stages, exchange);
    if (pending === undefined) return this.#answer(exchange, route);
    pending
      .then(() => this.#answer(exchange, route))
      .catch((error: unknown) => this.#refuse(exchange, route, error));
  }

  #answer(exchange: Exchange, route: Route): void {
    const writer = new AnswerWriter(exchange, route);
    if (exchange.cancelled !== undefined) return writer.fail(exchange.cancelled);
    if (exchange.cached !== undefined) return writer.replay(exchange.cached);
    if (route.aggregate !== undefined) return this.aggregates.answer(exchange, route, route.aggregate);
    const upstream = route.leadsTo as Upstream;
    if (route.grpc !== undefined) return this.transcodings.answer(exchange, route, upstream);
    const outbound = this.#outbound(exchange, route, upstream.passedHeaders);
    new HttpForwarding(exchange, upstream, outbound, { sink: writer, metrics: this.metrics }).start();
  }

  #refuse(exchange: Exchange, route: Route, error: unknown): void {
    new AnswerWriter(exchange, route).fail(
      error instanceof Problem ? error : new Problem('internal', { cause: error }),
    );
  }

  #outbound(exchange: Exchange, route: Route, passed: ReadonlySet<string> | undefined): Outbound {
    const { path, query, params } = exchange;
    return {
      path: route.rewrite === undefined ? path + query : route.rewrite.apply(path, query, params),
      headers: outboundHeaders(exchange, exchange.headerEdits, passed),
      body: hasBody(exchange) ? this.#body(exchange, route) : null,
    };
  }

  #body(exchange: Exchange, route: Route): Outbound['body'] {
    // Never the request itself: a transport destroys what it was given, and with it the way back to the client.
    const maxBytes = route.policies.bodyLimit ?? Infinity;
    return countingBody(exchange.request, maxBytes, (problem) => exchange.cancel(problem));
  }
}
