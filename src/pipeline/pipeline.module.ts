import { Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE, DiscoveryModule, HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { GATEWAY_SOURCE } from '../config/tokens.ts';
import { AuthenticationGuard } from '../policies/authentication/authentication.guard.ts';
import { AuthenticationModule, IDENTITY_OPTIONS } from '../policies/authentication/authentication.module.ts';
import { identitySchema } from '../policies/authentication/identity.schema.ts';
import { AuthorizationGuard } from '../policies/authorization/authorization.guard.ts';
import { AuthorizationModule } from '../policies/authorization/authorization.module.ts';
import { BodyLimitStageFactory } from '../policies/body-limit/body-limit.stage.ts';
import { AnswerStore } from '../policies/cache/answer-store.ts';
import { CacheStageFactory } from '../policies/cache/cache.stage.ts';
import { CircuitBreakerStageFactory } from '../policies/circuit-breaker/circuit-breaker.stage.ts';
import { DeadlineStageFactory } from '../policies/deadline/deadline.stage.ts';
import { RateLimitModule } from '../policies/rate-limit/rate-limit.module.ts';
import { LIMITER_OBSERVER, LOCAL_RATE_LIMITER } from '../policies/rate-limit/rate-limiter.ts';
import { STAGE_FACTORIES, type StageFactory } from '../policies/stage.ts';
import { TransformInterceptor } from '../policies/transform/transform.interceptor.ts';
import { TransformStageFactory } from '../policies/transform/transform.stage.ts';
import { schemaPipe } from '../policies/validation/schema.pipe.ts';
import { ProblemFilter } from '../problems/problem.filter.ts';
import { BootFaults } from '../routing/boot-faults.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import { EDGE_COMPILER } from '../snapshot/edge.ts';
import { Snapshots } from '../snapshot/snapshots.ts';
import { STORE_OBSERVER } from '../store/store.module.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { editAnswers } from './answer-edits.ts';
import { CloseHook } from './close.hook.ts';
import { Connections, whenAccepted } from './connections.ts';
import { edgeCompiler } from './edge.ts';
import { admitHandlers } from './handler-admission.ts';
import { HookParts } from './hook-parts.ts';
import { installHooks } from './install-hooks.ts';
import { MatchGuard } from './match.guard.ts';
import { OpenHook } from './open.hook.ts';
import { stageOrder } from './order.ts';
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

/**
 * Seats the walk in Nest and Fastify: the hooks of open, admission and close, the guards, the pipe, the filter,
 * each list in execution order. Nothing else in the application registers anything global.
 */
@Global()
@Module({
  imports: [PipelineBindings, AuthenticationModule, AuthorizationModule, RateLimitModule, DiscoveryModule],
  providers: [
    BodyLimitStageFactory,
    DeadlineStageFactory,
    TransformStageFactory,
    { provide: AnswerStore, useFactory: () => new AnswerStore() },
    {
      provide: CacheStageFactory,
      useFactory: (store: AnswerStore) => new CacheStageFactory(store),
      inject: [AnswerStore],
    },
    CircuitBreakerStageFactory,
    {
      provide: STAGE_FACTORIES,
      useFactory: (...factories: StageFactory[]) => factories,
      inject: [...stageOrder],
    },
    { provide: APP_GUARD, useClass: MatchGuard },
    { provide: APP_GUARD, useExisting: AuthenticationGuard },
    { provide: APP_GUARD, useExisting: AuthorizationGuard },
    { provide: APP_GUARD, useClass: StagesGuard },
    { provide: EDGE_COMPILER, useFactory: edgeCompiler, inject: [LOCAL_RATE_LIMITER] },
    Connections,
    HookParts,
    TransformInterceptor,
    SeatedInterceptors,
    { provide: APP_PIPE, useValue: schemaPipe },
    { provide: APP_FILTER, useClass: ProblemFilter },
  ],
  // The limiter also counts what others keep for their callers.
  exports: [STAGE_FACTORIES, EDGE_COMPILER, Connections, AuthenticationModule, RateLimitModule],
})
export class PipelineModule {
  // In the constructor, because Nest builds its routes before it calls any lifecycle hook.
  constructor(
    host: HttpAdapterHost,
    snapshots: Snapshots,
    parts: HookParts,
    seated: SeatedInterceptors,
    faults: BootFaults,
  ) {
    const fastify = host.httpAdapter.getInstance<FastifyInstance>();
    const { server } = fastify;
    const { connections } = parts;
    connections.watch(server);
    fastify.addHook('preClose', (done) => whenAccepted(server, done));
    // The server reports its end before those of its last sockets: pools would be gone before exchanges are.
    fastify.addHook('onClose', () => connections.closed());
    // Before the head is finished, which tells the length of the body.
    editAnswers(fastify);
    installHooks(fastify, new OpenHook(snapshots, parts), new CloseHook(parts));
    seated.seat();
    faults.add(seated.faultsOf(snapshots.current.table));
    snapshots.check(({ table }) => seated.faultsOf(table));
    admitHandlers(fastify, snapshots);
  }
}
