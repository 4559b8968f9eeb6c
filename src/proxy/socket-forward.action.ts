import type { OperationContract } from '../contracts/operation-contract.ts';
import type { AnswerSink } from '../exchange/answer-sink.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Seats } from '../policies/seats.ts';
import type { Stage } from '../policies/stage.ts';
import type { Foreseen } from '../routing/foreseen.ts';
import { ActionError, type ContractInput, type RouteAction } from '../routing/route-action.ts';
import type { Route } from '../routing/route.ts';
import type { ForwardAction } from './forward.action.ts';
import type { ForwardedSockets } from './forwarded-sockets.ts';
import type { WebSocketOptions } from './web-socket.schema.ts';

/** A route that is forwarded, WebSockets too. What asks for none is forwarded as ever. */
export class SocketForwardAction implements RouteAction {
  readonly kind = 'forward';
  readonly passesPath = true;
  readonly editsJson = false;
  readonly forwardsSockets = true;
  readonly target: string;
  readonly beside: readonly string[];
  readonly copiedTo: RouteAction['copiedTo'];
  readonly asksBy: RouteAction['asksBy'];
  readonly #plain: ForwardAction;
  readonly #options: WebSocketOptions;
  readonly #sockets: ForwardedSockets;

  constructor(plain: ForwardAction, options: WebSocketOptions, sockets: ForwardedSockets) {
    this.target = plain.target;
    this.beside = plain.beside;
    const { copiedTo }: RouteAction = plain;
    this.copiedTo = copiedTo;
    this.asksBy = plain.asksBy;
    this.#plain = plain;
    this.#options = options;
    this.#sockets = sockets;
  }

  // Fails closed: what a stage edits in bodies would pass unedited in messages.
  check({ leaving, incoming }: Seats): void {
    if (incoming.length === 0 && !leaving.some(({ body }) => body !== undefined)) return;
    throw new ActionError(
      ['webSocket'],
      'expected no WebSockets where a policy edits bodies, such as `transform.request.body` or `transform.response.maskFields`: messages would pass unedited; say `transform: off` for this route where it only inherits them',
    );
  }

  stagesOf(exchange: Exchange, route: Route): readonly Stage[] {
    return this.#sockets.has(exchange) ? route.live.forwarded : route.stages;
  }

  answer(exchange: Exchange, route: Route, sink: AnswerSink): void {
    if (!this.#sockets.has(exchange)) return this.#plain.answer(exchange, route, sink);
    const { upstream } = this.#plain;
    const outbound = this.#plain.outboundOf(exchange, null);
    this.#sockets.answer({ exchange, route, upstream, outbound, options: this.#options, sink });
  }

  foresee(exchange: Exchange, route: Route, body: Buffer | undefined): Promise<Foreseen> {
    return this.#plain.foresee(exchange, route, body);
  }

  contract(input: ContractInput): OperationContract {
    return this.#plain.contract(input);
  }
}
