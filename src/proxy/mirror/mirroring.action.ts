import type { AnswerSink } from '../../exchange/answer-sink.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Foreseen } from '../../routing/foreseen.ts';
import type { Elsewhere } from '../../routing/route-action.ts';
import type { Route } from '../../routing/route.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Outbound } from '../../upstreams/http/outbound.ts';
import type { Target } from '../../upstreams/target.ts';
import type { Http1Pool } from '../../upstreams/transport/http1/http1-pool.ts';
import type { UpstreamSource } from '../../upstreams/upstream-part.ts';
import { ForwardAction } from '../forward.action.ts';
import type { ForwardWay } from '../forward-way.ts';
import type { Mirror } from './mirror.ts';

/** Forwards what is no WebSocket, and mirrors some of it. */
export class MirroringAction extends ForwardAction {
  override readonly beside: readonly string[];
  readonly copiedTo: readonly Elsewhere[];
  readonly #mirror: Mirror;

  constructor(source: UpstreamSource, way: ForwardWay, metrics: Metrics, mirror: Mirror) {
    super(source, way, metrics);
    this.#mirror = mirror;
    this.beside = [mirror.shown];
    this.copiedTo = [{ upstream: mirror.upstream, key: ['mirror', 'upstream'] }];
  }

  override async foresee(exchange: Exchange, route: Route, bytes: Buffer | undefined): Promise<Foreseen> {
    const foreseen = await super.foresee(exchange, route, bytes);
    const body = foreseen.requests[0]?.body;
    const { isMirrored, why } = this.#mirror.foreseen(exchange, body?.bytes.length ?? 0);
    const { path } = this.outboundOf(exchange, null);
    const headFor = (target: Target | undefined): string => {
      const { fields, host } = this.#mirror.headOf(exchange, body?.as !== undefined);
      const head = { method: exchange.method, path, fields: [...fields], host, body: body?.bytes ?? null };
      const { http1 } = target as Target;
      return (http1 as Http1Pool).headOf(head);
    };
    const { upstream } = this.#mirror;
    const copy = { name: 'mirror', upstream, note: why, ...(isMirrored && { headFor, body }) };
    return { ...foreseen, requests: [...foreseen.requests, copy] };
  }

  protected override forward(
    exchange: Exchange,
    outbound: Outbound,
    sink: AnswerSink,
    isEdited: boolean,
  ): void {
    const copy = this.#mirror.copyOf(exchange);
    if (copy === undefined) return super.forward(exchange, outbound, sink, isEdited);
    // First what somebody waits for; nothing of its body has come before this turn is over.
    super.forward(exchange, outbound, copy.watching(sink), isEdited);
    copy.send(outbound, isEdited);
  }
}
