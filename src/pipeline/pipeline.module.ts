import { Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE, DiscoveryModule, HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { GATEWAY_SOURCE } from '../config/tokens.ts';
import { IDENTITY_OPTIONS } from '../policies/authentication/authentication.module.ts';
import { identitySchema } from '../policies/authentication/identity.schema.ts';
import { seatOrder } from '../policies/order.ts';
import {
  LIMITER_OBSERVER,
  LOCAL_RATE_LIMITER,
  type LocalRateLimiter,
} from '../policies/rate-limit/rate-limiter.ts';
import { STAGE_FACTORIES, type Stage, type StageFactory } from '../policies/stage.ts';
import { TransformInterceptor } from '../policies/transform/transform.interceptor.ts';
import { schemaPipe } from '../policies/validation/schema.pipe.ts';
import { ProblemFilter } from '../problems/problem.filter.ts';
import { compileEntrance } from '../routing/entrance.ts';
import { RouteTable } from '../routing/route-table.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import { STORE_OBSERVER } from '../store/store.module.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { ClientAddress } from './client-address.ts';
import { CloseHook } from './close.hook.ts';
import { FloodLimit } from './flood-limit.ts';
import { Connections, whenAccepted } from './connections.ts';
import { admitHandlers } from './handler-admission.ts';
import { HookParts } from './hook-parts.ts';
import { installHooks } from './install-hooks.ts';
import { MatchGuard } from './match.guard.ts';
import { OpenHook } from './open.hook.ts';
import { StageAnswerFilter } from './stage-answer.filter.ts';
import { StagesGuard } from './stages.guard.ts';
import { SeatedInterceptors } from './seated-interceptors.ts';

/** What the policies are told by the rest of the gateway. */
@Global()
@Module({
  providers: [
    {
      provide: IDENTITY_OPTIONS,
      useFactory: (source: GatewaySource) => source.value.identity ?? identitySchema.parse({}),
      inject: [GATEWAY_SOURCE],
    },
    {
      provide: LIMITER_OBSERVER,
      useFactory: (metrics: Metrics) => ({ decided: metrics.limitDecided.bind(metrics) }),
      inject: [Metrics],
    },
    {
      provide: STORE_OBSERVER,
      useFactory: (metrics: Metrics) => ({
        switched: (state: 'on' | 'off') => metrics.storeChanged(state === 'on'),
      }),
      inject: [Metrics],
    },
  ],
  exports: [IDENTITY_OPTIONS, LIMITER_OBSERVER, STORE_OBSERVER],
})
export class PipelineBindings {}

/** Injection token of the stages that every request meets before a route is looked for. */
const ENTRANCE = Symbol('ENTRANCE');

const policyModules = seatOrder.flatMap(({ module }) => module ?? []);

/**
 * Seats the walk in Nest and Fastify: the hooks of open, admission and close, the guards, the pipe, the filter,
 * each list in execution order. Nothing else in the application registers anything global.
 */
@Global()
@Module({
  imports: [PipelineBindings, ...policyModules, DiscoveryModule],
  providers: [
    ...seatOrder.flatMap(({ module, factory }) => (module === undefined ? factory : [])),
    {
      provide: STAGE_FACTORIES,
      useFactory: (...factories: StageFactory[]) => factories,
      inject: seatOrder.map(({ factory }) => factory),
    },
    { provide: APP_GUARD, useClass: MatchGuard },
    ...seatOrder.flatMap(({ guard }) =>
      guard === undefined ? [] : { provide: APP_GUARD, useExisting: guard },
    ),
    { provide: APP_GUARD, useClass: StagesGuard },
    Connections,
    HookParts,
    {
      provide: OpenHook,
      useFactory: ({ value }: GatewaySource, limiter: LocalRateLimiter, parts: HookParts) => {
        const flood = value.floodLimit === 'off' ? undefined : new FloodLimit(limiter, value.floodLimit);
        return new OpenHook(new ClientAddress(value.trustedProxies), flood, parts);
      },
      inject: [GATEWAY_SOURCE, LOCAL_RATE_LIMITER, HookParts],
    },
    {
      provide: ENTRANCE,
      useFactory: (factories: readonly StageFactory[], { value }: GatewaySource) =>
        compileEntrance(factories, value.defaults.policies ?? {}),
      inject: [STAGE_FACTORIES, GATEWAY_SOURCE],
    },
    TransformInterceptor,
    SeatedInterceptors,
    { provide: APP_PIPE, useValue: schemaPipe },
    { provide: APP_FILTER, useClass: ProblemFilter },
    // Asked before the one above, which takes everything.
    { provide: APP_FILTER, useClass: StageAnswerFilter },
  ],
  // The limiter also counts what others keep for their callers.
  exports: [STAGE_FACTORIES, Connections, ...policyModules],
})
export class PipelineModule implements OnApplicationShutdown {
  readonly #table: RouteTable;

  // In the constructor, because Nest builds its routes before it calls any lifecycle hook.
  constructor(
    host: HttpAdapterHost,
    open: OpenHook,
    parts: HookParts,
    seated: SeatedInterceptors,
    @Inject(ENTRANCE) private readonly entrance: readonly Stage[],
  ) {
    const { connections } = parts;
    const fastify = host.httpAdapter.getInstance<FastifyInstance>();
    const { server } = fastify;
    connections.watch(server);
    fastify.addHook('preClose', (done) => whenAccepted(server, done));
    // The server reports its end before those of its last sockets: pools would be gone before exchanges are.
    fastify.addHook('onClose', () => connections.closed());
    installHooks(fastify, open, new CloseHook(parts), entrance);
    this.#table = seated.seat();
    admitHandlers(fastify, this.#table);
  }

  /** Ends what the compiled stages own. */
  onApplicationShutdown(): void {
    for (const stage of this.entrance) stage.close?.();
    for (const route of this.#table.routes) for (const stage of route.stages) stage.close?.();
  }
}
