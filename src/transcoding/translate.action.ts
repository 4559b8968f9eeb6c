import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import type { OperationContract } from '../contracts/operation-contract.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { Upgrades } from '../sockets/upgrades.ts';
import type { Seats } from '../policies/seats.ts';
import type { Stage } from '../policies/stage.ts';
import { incomingEditOf } from '../policies/transform/incoming-body.ts';
import { Problem } from '../problems/problem.ts';
import type { Foreseen } from '../routing/foreseen.ts';
import { jsonEditOf } from '../routing/json-edit.ts';
import {
  ActionError,
  type ActionInput,
  type ActionKind,
  type ContractInput,
  type LiveRoutes,
  type LiveWork,
  type RouteAction,
} from '../routing/route-action.ts';
import type { Route } from '../routing/route.ts';
import { isSocketOnly } from '../routing/socket-only.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { LOGGER } from '../telemetry/telemetry.module.ts';
import { GrpcCaller } from '../upstreams/grpc/grpc-caller.ts';
import { needsSocket, offersSocket, takesLines, type Binding } from './binding.ts';
import { foreseenTranslation } from './foreseen-translation.ts';
import { Transcoder } from './transcoder.ts';
import type { AnswerSink } from '../exchange/answer-sink.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { ReflectedRoutes } from './reflected-routes.ts';
import { transcodedContract } from './transcoded-contract.ts';
import { TranscodedSockets } from './transcoded-sockets.ts';
import { translateSource, type TranslateDefinition } from './translate.source.ts';

/** How soon to ask again for what an upstream has not told yet. */
const RETRY_AFTER_SECONDS = '5';

/**
 * What a client has to say to be let in (RFC 9110 section 15.5.22). It ends the connection, as an answer to a body or a
 * handshake in the wrong place has to: `node:http` takes any `Connection` field without `close` for a promise to stay.
 */
const UPGRADE = { upgrade: 'websocket', connection: 'upgrade, close' };

/** Routes whose exchanges are translated to calls of gRPC methods. */
@Injectable()
export class TranslateKind implements ActionKind, OnModuleInit, OnModuleDestroy {
  static readonly source = translateSource;
  readonly source = translateSource;
  readonly #transcoder: Transcoder;
  readonly #sockets: TranscodedSockets;
  /** Those of the configuration that is in force. */
  #routes: LiveRoutes | undefined = undefined;

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly grpc: GrpcCaller,
    metrics: Metrics,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.#transcoder = new Transcoder(grpc, metrics);
    this.#sockets = new TranscodedSockets(this.#transcoder);
  }

  compile({ binding }: TranslateDefinition, { upstream }: ActionInput): RouteAction {
    if (upstream === undefined) throw new ActionError(['upstream'], 'expected the name of an upstream');
    if (binding === 'unknown') return new PendingAction(upstream.name);
    return new TranslateAction(binding, upstream, { transcoder: this.#transcoder, sockets: this.#sockets });
  }

  onModuleInit(): void {
    this.#sockets.attach(Upgrades.of(this.host.httpAdapter.getInstance<FastifyInstance>()));
    // Once for all configurations: a claim stays with the server.
    this.#sockets.claim((asked) => {
      const { action } = this.#routes?.peek(asked) ?? {};
      return action instanceof TranslateAction && action.offersSocket;
    });
  }

  work(routes: LiveRoutes): LiveWork {
    const reflected = new ReflectedRoutes({ channels: this.grpc.channels, logger: this.logger }, routes);
    return new TranslateWork(reflected, () => (this.#routes = routes));
  }

  async onModuleDestroy(): Promise<void> {
    await this.#sockets.leave();
  }
}

/** What translating does in the background for one configuration. */
class TranslateWork implements LiveWork {
  readonly #reflected: ReflectedRoutes;
  readonly #begin: () => void;

  constructor(reflected: ReflectedRoutes, begin: () => void) {
    this.#reflected = reflected;
    this.#begin = begin;
  }

  start(): void {
    this.#begin();
    this.#reflected.start();
  }

  stop(): void {
    this.#reflected.stop();
  }

  adopt(previous: LiveWork): void {
    if (previous instanceof TranslateWork) this.#reflected.adopt(previous.#reflected);
  }
}

/** Holds the place of routes that an upstream has yet to tell. */
class PendingAction implements RouteAction {
  readonly kind = 'translate';
  readonly target: string;
  readonly isPending = true;

  constructor(upstream: string) {
    this.target = upstream;
  }

  answer(_exchange: Exchange, _route: Route, sink: AnswerSink): void {
    const headers = { 'retry-after': RETRY_AFTER_SECONDS };
    sink.fail(new Problem('no-available-target', { headers }));
  }
}

class TranslateAction implements RouteAction {
  readonly kind = 'translate';
  readonly target: string;
  readonly editsJson: boolean;
  readonly needsSocket: boolean;
  readonly offersSocket: boolean;
  readonly takesLines: boolean;
  readonly #binding: Binding;
  readonly #upstream: Upstream;
  readonly #tools: { readonly transcoder: Transcoder; readonly sockets: TranscodedSockets };

  constructor(
    binding: Binding,
    upstream: Upstream,
    tools: { readonly transcoder: Transcoder; readonly sockets: TranscodedSockets },
  ) {
    this.target = upstream.name;
    // The JSON is at hand before it is text: its edits are made there, message by message, also in a stream.
    this.editsJson = !binding.answer.isRaw;
    this.needsSocket = needsSocket(binding);
    this.offersSocket = offersSocket(binding);
    this.takesLines = takesLines(binding);
    this.#binding = binding;
    this.#upstream = upstream;
    this.#tools = tools;
  }

  // Fails closed: what comes over a socket would pass unchecked by who does not look at each message.
  check({ seats }: Seats): void {
    const { plan, method } = this.#binding;
    const takesMessages = plan.takesBody || method.methodKind !== 'server_streaming';
    if (!this.offersSocket || !takesMessages) return;
    const isBlind = (name: string): boolean =>
      seats[name]?.holdsBody === true && seats[name].checksFrames !== true;
    const policy = Object.keys(seats).find(isBlind);
    if (policy === undefined) return;
    const message =
      'looks at bodies, and messages over a WebSocket would pass unchecked: say `webSocket: off` under `grpc`, or check them by `validation.body`, which looks at each message';
    throw new ActionError(['policies', policy], message);
  }

  stagesOf(exchange: Exchange, route: Route): readonly Stage[] {
    const { sockets } = this.#tools;
    return this.offersSocket && sockets.has(exchange) ? route.live.handshake : route.stages;
  }

  answer(exchange: Exchange, route: Route, sink: AnswerSink): void {
    const { transcoder, sockets } = this.#tools;
    const [binding, upstream] = [this.#binding, this.#upstream];
    if (this.offersSocket && sockets.has(exchange)) {
      return sockets.answer({ exchange, route, binding, upstream, sink });
    }
    if (isSocketOnly(route)) return sink.fail(new Problem('upgrade-required', { headers: UPGRADE }));
    transcoder.answer({
      exchange,
      upstream,
      binding,
      sink,
      edit: this.editsJson ? jsonEditOf(exchange, route) : undefined,
      incoming: incomingEditOf(route.incoming),
      lines: route.lines,
      maxBodyBytes: route.policies.bodyLimit,
    });
  }

  foresee(exchange: Exchange, route: Route, body: Buffer | undefined): Foreseen {
    const isSocket = exchange.request.headers.upgrade?.toLowerCase() === 'websocket';
    if (isSocketOnly(route) && !isSocket) throw new Problem('upgrade-required', { headers: UPGRADE });
    const [binding, upstream, incoming] = [this.#binding, this.#upstream, incomingEditOf(route.incoming)];
    return foreseenTranslation({ exchange, upstream, binding, incoming }, body);
  }

  contract({ names, components }: ContractInput): OperationContract {
    return transcodedContract(this.#binding, names, components);
  }
}
