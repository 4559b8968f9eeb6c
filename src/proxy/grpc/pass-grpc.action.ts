import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AnswerSink } from '../../exchange/answer-sink.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { toProblem } from '../../problems/render-problem.ts';
import {
  ActionError,
  type ActionInput,
  type ActionKind,
  type Elsewhere,
  type RouteAction,
} from '../../routing/route-action.ts';
import type { Foreseen, ForeseenRequest } from '../../routing/foreseen.ts';
import type { Route } from '../../routing/route.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { headOfCall } from '../../upstreams/grpc/call-head.ts';
import type { Upstream } from '../../upstreams/upstream.ts';
import { passGrpcSource, type PassGrpcDefinition, type PassGrpcOptions } from './pass-grpc.source.ts';
import { callOf, PassedExchange, type PassingDeps } from './passed-exchange.ts';
import { SharedCallsAction, type CallShare } from './shared-calls.action.ts';
import { dialectOf } from './passed-request.ts';

/** Over which time streams are ended when the gateway leaves, so that their clients do not all come back at once. */
const LEAVE_MS = 2000;

/** Routes whose calls of gRPC are passed on as they are, as streams both ways. */
@Injectable()
export class PassGrpcKind implements ActionKind, OnModuleDestroy {
  static readonly source = passGrpcSource;
  readonly source = passGrpcSource;
  readonly #open = new Map<PassedExchange, Exchange>();
  readonly #metrics: Metrics;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  compile({ options }: PassGrpcDefinition, { upstream, named }: ActionInput): RouteAction {
    if (upstream === undefined) throw new ActionError(['upstream'], 'expected the name of an upstream');
    const first = this.#passTo(upstream, options, ['upstream']);
    if (options.split === undefined) return first;
    const elsewhere: Elsewhere[] = [];
    const others = options.split.others.map((one, index): CallShare => {
      if (!('upstream' in one)) return { weight: one.weight, action: undefined };
      const key = ['passGrpc', 'split', 'others', String(index), 'upstream'];
      const other = named(one.upstream, key);
      if (other !== upstream) elsewhere.push({ upstream: other, key });
      return { weight: one.weight, action: this.#passTo(other, options, key) };
    });
    return new SharedCallsAction(first, options.split.weight, others, elsewhere);
  }

  #passTo(upstream: Upstream, options: PassGrpcOptions, key: readonly string[]): RouteAction {
    if (upstream.options.protocol !== 'grpc')
      throw new ActionError(
        key,
        `the upstream "${upstream.name}" does not speak gRPC; expected one with \`protocol: grpc\``,
      );
    return new PassGrpcAction({ upstream, metrics: this.#metrics, options }, this.#open);
  }

  /** Ends the streams that have answered something: their clients call again, and reach somebody else. Others finish. */
  async onModuleDestroy(): Promise<void> {
    const streams = [...this.#open].filter(([call]) => call.isBetweenMessages);
    const everyMs = LEAVE_MS / Math.max(1, streams.length);
    for (const [call, exchange] of streams) {
      if (call.isBetweenMessages) exchange.cancel(new Problem('shutting-down'));
      await sleep(Math.min(everyMs, 20));
    }
  }
}

class PassGrpcAction implements RouteAction {
  readonly kind = 'passGrpc';
  readonly target: string;
  readonly passesPath = true;
  readonly isOpaque = true;
  readonly #deps: PassingDeps;
  readonly #open: Map<PassedExchange, Exchange>;

  constructor(deps: PassingDeps, open: Map<PassedExchange, Exchange>) {
    this.target = deps.upstream.name;
    this.#deps = deps;
    this.#open = open;
  }

  answer(exchange: Exchange, route: Route, sink: AnswerSink): void {
    const { metrics, options } = this.#deps;
    let call: PassedExchange;
    try {
      call = new PassedExchange(exchange, route, dialectOf(exchange, options), this.#deps);
    } catch (error) {
      return sink.fail(toProblem(error));
    }
    this.#open.set(call, exchange);
    exchange.onClosed(({ grpcStatus }) => {
      this.#open.delete(call);
      metrics.callPassed(route.id, grpcStatus ?? 'CANCELLED');
    });
    call.start();
  }

  foresee(exchange: Exchange): Foreseen {
    const { upstream, options } = this.#deps;
    const { path, fields, endsAt } = callOf(exchange, dialectOf(exchange, options), this.#deps);
    const limitMs = endsAt - performance.now();
    if (limitMs <= 0) throw new Problem('deadline-exceeded');
    const call = { path, fields, limitMs, upstream };
    const headFor: ForeseenRequest['headFor'] = (target) => headOfCall(exchange, target, call);
    return { requests: [{ upstream, headFor, note: 'its messages are passed on unread' }] };
  }
}
