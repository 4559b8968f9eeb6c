import type { AnswerSink } from '../../exchange/answer-sink.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { Outbound } from '../../upstreams/http/outbound.ts';
import type { UpstreamSource } from '../../upstreams/upstream-part.ts';
import { ForwardAction } from '../forward.action.ts';
import type { ForwardWay } from '../forward-way.ts';
import type { Mirror } from './mirror.ts';

/** Forwards what is no WebSocket, and mirrors some of it. */
export class MirroringAction extends ForwardAction {
  override readonly beside: readonly string[];
  readonly #mirror: Mirror;

  constructor(source: UpstreamSource, way: ForwardWay, metrics: Metrics, mirror: Mirror) {
    super(source, way, metrics);
    this.#mirror = mirror;
    this.beside = [mirror.shown];
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
