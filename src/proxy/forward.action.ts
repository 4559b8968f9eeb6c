import { Injectable } from '@nestjs/common';
import type { OperationContract } from '../contracts/operation-contract.ts';
import type { AnswerSink } from '../exchange/answer-sink.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { countingBody } from '../policies/body-limit/counting-body.ts';
import type { IncomingEdit } from '../policies/stage.ts';
import { incomingEditOf } from '../policies/transform/incoming-body.ts';
import { announcesBody, toProblem } from '../problems/render-problem.ts';
import { compileRewrite, type Rewrite } from '../routing/rewrite.ts';
import {
  ActionError,
  type ActionInput,
  type ActionKind,
  type ContractInput,
  type RouteAction,
} from '../routing/route-action.ts';
import type { Route } from '../routing/route.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { HttpForwarding, type Outbound } from '../upstreams/http/http-forwarder.ts';
import type { IncomingBody } from '../upstreams/http/outbound-body.ts';
import { compileProxyFields, type ProxyFields } from '../upstreams/http/proxy-fields.ts';
import { outboundHeaders } from '../upstreams/http/request-headers.ts';
import { outboundTrailers } from '../upstreams/http/trailers.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { describedAnew, editBody } from './edited-body.ts';
import { answersHere } from './final-recipient.ts';
import { forwardContract } from './forward-contract.ts';
import { forwardSource, type ForwardDefinition } from './forward.source.ts';

/** Routes whose exchanges are forwarded to an upstream that speaks HTTP, as opaque streams both ways. */
@Injectable()
export class ForwardKind implements ActionKind {
  static readonly source = forwardSource;
  readonly source = forwardSource;

  constructor(private readonly metrics: Metrics) {}

  compile({ rewrite, prefix, host }: ForwardDefinition, { pattern, upstream }: ActionInput): RouteAction {
    if (upstream === undefined) throw new ActionError(['upstream'], 'expected the name of an upstream');
    if (upstream.options.protocol === 'grpc') {
      throw new ActionError(
        ['upstream'],
        `the upstream "${upstream.name}" speaks gRPC; a route needs one that speaks http, \`passGrpc: true\` beside it, or \`grpc\` in place of \`match\``,
      );
    }
    try {
      const way = {
        rewrite: prefix === undefined ? compileRewrite(rewrite, pattern) : replacedPrefix(prefix),
        host: host ?? upstream.options.host,
      };
      return new ForwardAction(upstream, way, this.metrics);
    } catch (error) {
      throw new ActionError(['rewrite'], (error as Error).message);
    }
  }
}

function replacedPrefix({ from, to }: NonNullable<ForwardDefinition['prefix']>): Rewrite {
  return {
    ...(to === '' && from !== '' ? { prefix: from } : {}),
    apply: (path, query) => (to + path.slice(from.length) || '/') + query,
  };
}

class ForwardAction implements RouteAction {
  readonly kind = 'forward';
  readonly target: string;
  readonly passesPath = true;
  readonly editsJson = false;
  readonly #upstream: Upstream;
  readonly #rewrite: Rewrite | undefined;
  readonly #fields: ProxyFields | undefined;
  /** `keep`, `target`, or a name. */
  readonly #host: string;
  readonly #metrics: Metrics;

  constructor(
    upstream: Upstream,
    { rewrite, host }: { readonly rewrite: Rewrite | undefined; readonly host: string },
    metrics: Metrics,
  ) {
    this.target = upstream.name;
    this.#upstream = upstream;
    this.#rewrite = rewrite;
    this.#fields = compileProxyFields(upstream.options, rewrite?.prefix);
    this.#host = host;
    this.#metrics = metrics;
  }

  answer(exchange: Exchange, route: Route, sink: AnswerSink): void {
    const upstream = this.#upstream;
    const { path, query, params, method } = exchange;
    if ((method === 'OPTIONS' || method === 'TRACE') && answersHere(exchange, upstream, sink)) return;
    const outbound: Outbound = {
      path: this.#rewrite === undefined ? path + query : this.#rewrite.apply(path, query, params),
      headers: outboundHeaders(exchange, exchange.headerEdits, upstream.passedHeaders, this.#fields),
      host: this.#host === 'target' ? undefined : this.#hostOf(exchange),
      body: announcesBody(exchange.request) ? bodyOf(exchange, route) : null,
    };
    if (route.incoming.length > 0 && outbound.body !== null)
      return this.#edit(exchange, outbound, { route, sink });
    new HttpForwarding(exchange, upstream, outbound, { sink, metrics: this.#metrics }).start();
  }

  #edit(exchange: Exchange, outbound: Outbound, { route, sink }: { route: Route; sink: AnswerSink }): void {
    const edit = incomingEditOf(route.incoming) as IncomingEdit;
    editBody(exchange, outbound.body as IncomingBody, edit)
      .then(({ body, isEdited }) => {
        const headers = isEdited ? describedAnew(outbound.headers, body.length ?? 0) : outbound.headers;
        const whole = { ...outbound, headers, body };
        new HttpForwarding(exchange, this.#upstream, whole, { sink, metrics: this.#metrics }).start();
        // What is read in part was paused.
        body.stream.resume();
      })
      .catch((error: unknown) => sink.fail(toProblem(error)));
  }

  #hostOf({ request }: Exchange): string | undefined {
    return this.#host === 'keep' ? request.headers.host : this.#host;
  }

  contract({ method }: ContractInput): OperationContract {
    return forwardContract(this.target, method);
  }
}

function bodyOf(exchange: Exchange, route: Route): IncomingBody {
  const { request, headerEdits } = exchange;
  // Never the request itself: a transport destroys what it was given, and with it the way back to the client.
  const maxBytes = route.policies.bodyLimit ?? Infinity;
  const length = request.headers['content-length'];
  return {
    stream: countingBody(request, maxBytes, (problem) => exchange.cancel(problem)),
    length: length === undefined ? undefined : Number(length),
    trailers: () => outboundTrailers(request, headerEdits),
  };
}
