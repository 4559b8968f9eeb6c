import type { OperationContract } from '../contracts/operation-contract.ts';
import type { AnswerSink } from '../exchange/answer-sink.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { IncomingEdit } from '../policies/incoming-edit.ts';
import { incomingEditOf } from '../policies/transform/incoming-body.ts';
import { announcesBody, toProblem } from '../problems/render-problem.ts';
import type { Foreseen } from '../routing/foreseen.ts';
import type { ContractInput, RouteAction } from '../routing/route-action.ts';
import type { Route } from '../routing/route.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { forwardingOf } from '../upstreams/http/hedged-forwarding.ts';
import type { Outbound } from '../upstreams/http/outbound.ts';
import { compileProxyFields, type ProxyFields } from '../upstreams/http/proxy-fields.ts';
import { outboundHeaders } from '../upstreams/http/request-headers.ts';
import type { UpstreamSource } from '../upstreams/upstream-part.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { editedOutbound } from './edited-body.ts';
import { answersHere } from './final-recipient.ts';
import { bodyOf } from './forwarded-body.ts';
import { foreseenForward } from './foreseen-forward.ts';
import { forwardContract } from './forward-contract.ts';
import type { ForwardWay } from './forward-way.ts';

/** Forwards what is no WebSocket. */
export class ForwardAction implements RouteAction {
  readonly kind = 'forward';
  readonly target: string;
  readonly passesPath = true;
  readonly editsJson = false;
  readonly beside: readonly string[] = [];
  asksBy: ((exchange: Exchange) => string) | undefined = undefined;
  readonly #source: UpstreamSource;
  readonly #way: ForwardWay;
  readonly #fields: ProxyFields | undefined;
  readonly #metrics: Metrics;

  constructor(source: UpstreamSource, way: ForwardWay, metrics: Metrics) {
    const { rewrite, host } = way;
    const upstream = source.whole;
    this.target = upstream.name;
    this.#source = source;
    this.#way = way;
    this.#fields = compileProxyFields(upstream.options, rewrite?.prefix);
    this.#metrics = metrics;
    if (rewrite?.isTelling === true || host?.isTelling === true)
      this.asksBy = (exchange): string => `${host?.of(exchange) ?? ''} ${rewrite?.apply(exchange) ?? ''}`;
  }

  /** Where its requests go at the moment. */
  get upstream(): Upstream {
    return this.#source.current;
  }

  answer(exchange: Exchange, route: Route, sink: AnswerSink): void {
    const { upstream } = this;
    const { method } = exchange;
    if ((method === 'OPTIONS' || method === 'TRACE') && answersHere(exchange, upstream, sink)) return;
    const body = announcesBody(exchange.request) ? bodyOf(exchange, route) : null;
    const outbound = this.outboundOf(exchange, body);
    if (route.incoming.length === 0 || body === null) return this.forward(exchange, outbound, sink, false);
    editedOutbound(exchange, { ...outbound, body }, incomingEditOf(route.incoming) as IncomingEdit)
      .then((whole) => {
        this.forward(exchange, whole, sink, whole.headers !== outbound.headers);
        whole.body?.stream.resume();
      })
      .catch((error: unknown) => sink.fail(toProblem(error)));
  }

  protected forward(exchange: Exchange, outbound: Outbound, sink: AnswerSink, _isEdited: boolean): void {
    forwardingOf(exchange, this.upstream, outbound, { sink, metrics: this.#metrics }).start();
  }

  /** What goes out for an exchange. */
  outboundOf(exchange: Exchange, body: Outbound['body']): Outbound {
    const { path, query } = exchange;
    const { rewrite, host } = this.#way;
    // A line of its own goes on with the list of the service; what that speaks to us is HTTP/1.1.
    if (this.#fields?.via !== undefined) exchange.responseHeaders.push('via', `1.1${this.#fields.via}`);
    const headers = outboundHeaders(exchange, exchange.headerEdits, this.upstream, this.#fields);
    return {
      path: rewrite === undefined ? path + query : rewrite.apply(exchange),
      headers,
      host: host?.of(exchange),
      body,
    };
  }

  foresee(exchange: Exchange, route: Route, bytes: Buffer | undefined): Promise<Foreseen> {
    return foreseenForward(exchange, this, route, bytes);
  }

  contract({ method }: ContractInput): OperationContract {
    return forwardContract(this.target, method);
  }
}
