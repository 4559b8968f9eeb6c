import { Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE, DiscoveryModule, HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { AuditTrail } from '../audit/audit-trail.ts';
import { identityOf } from '../routing/roles.schema.ts';
import { GATEWAY_SOURCE } from '../config/tokens.ts';
import { IDENTITY_OPTIONS } from '../policies/authentication/authentication.module.ts';
import { OUTSIDE } from '../policies/external-authorization/outside.ts';
import { seatOrder } from '../policies/order.ts';
import { LIMITER_OBSERVER, PROCESS_RATE_LIMITER } from '../policies/rate-limit/rate-limiter.ts';
import { STAGE_FACTORIES, type StageFactory } from '../policies/stage-factory.ts';
import { TransformInterceptor } from '../policies/transform/transform.interceptor.ts';
import { schemaPipe } from '../policies/validation/schema.pipe.ts';
import { ProblemFilter } from '../problems/problem.filter.ts';
import { BootFaults } from '../routing/boot-faults.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import { EDGE_COMPILER } from '../snapshot/edge.ts';
import { Snapshots } from '../snapshot/snapshots.ts';
import type { CallFailure } from '../store/store-guard.ts';
import { STORE_OBSERVER } from '../store/store.module.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { Tracer } from '../tracing/tracer.ts';
import { UpstreamsModule } from '../upstreams/upstreams.module.ts';
import { editAnswers } from './answer-edits.ts';
import { runInBackground } from './background-runs.ts';
import { ClientListeners } from './client-listeners.ts';
import { CloseHook } from './close.hook.ts';
import { ConnectionLimit } from './connection-limit.ts';
import { Connections, whenAccepted } from './connections.ts';
import { edgeCompiler } from './edge.ts';
import { admitHandlers } from './handler-admission.ts';
import { HookDeps } from './hook-deps.ts';
import { installHooks } from './install-hooks.ts';
import { MatchGuard } from './match.guard.ts';
import { OutsideCaller } from './outside-caller.ts';
import { OpenHook } from './open.hook.ts';
import { StageAnswerFilter } from './stage-answer.filter.ts';
import { StagesGuard } from './stages.guard.ts';
import { SeatedGuards } from './seated-guards.ts';
import { SeatedInterceptors } from './seated-interceptors.ts';

/** What the policies are told by the rest of the gateway. */
@Global()
@Module({
  imports: [UpstreamsModule],
  providers: [
    {
      provide: IDENTITY_OPTIONS,
      useFactory: (source: GatewaySource) => identityOf(source.value),
      inject: [GATEWAY_SOURCE],
    },
    { provide: OUTSIDE, useClass: OutsideCaller },
    {
      provide: LIMITER_OBSERVER,
      useFactory: (metrics: Metrics) => ({ decided: metrics.limitDecided.bind(metrics) }),
      inject: [Metrics],
    },
    {
      provide: STORE_OBSERVER,
      useFactory: (metrics: Metrics) => ({
        switched: (state: 'on' | 'off', use: string) => metrics.storeChanged(state === 'on', use),
        failed: (why: CallFailure, use: string) => metrics.storeFailed(why, use),
      }),
      inject: [Metrics],
    },
  ],
  exports: [OUTSIDE, IDENTITY_OPTIONS, LIMITER_OBSERVER, STORE_OBSERVER],
})
export class PipelineBindings {}

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
    {
      provide: EDGE_COMPILER,
      useFactory: edgeCompiler,
      inject: [
        PROCESS_RATE_LIMITER,
        STAGE_FACTORIES,
        { token: AuditTrail, optional: true },
        { token: Tracer, optional: true },
      ],
    },
    Connections,
    HookDeps,
    ClientListeners,
    TransformInterceptor,
    SeatedInterceptors,
    SeatedGuards,
    { provide: APP_PIPE, useValue: schemaPipe },
    { provide: APP_FILTER, useClass: ProblemFilter },
    // Asked before the one above, which takes everything.
    { provide: APP_FILTER, useClass: StageAnswerFilter },
  ],
  // The limiter also counts what others keep for their callers.
  exports: [STAGE_FACTORIES, EDGE_COMPILER, Connections, ...policyModules],
})
export class PipelineModule {
  // In the constructor, because Nest builds its routes before it calls any lifecycle hook.
  constructor(
    host: HttpAdapterHost,
    snapshots: Snapshots,
    deps: HookDeps,
    seated: SeatedInterceptors,
    faults: BootFaults,
  ) {
    const fastify = host.httpAdapter.getInstance<FastifyInstance>();
    const { server } = fastify;
    const { connections } = deps;
    connections.watch(server);
    new ConnectionLimit(snapshots, deps.metrics).watch(server);
    fastify.addHook('preClose', (done) => whenAccepted(server, done));
    // The server reports its end before those of its last sockets: pools would be gone before exchanges are.
    fastify.addHook('onClose', () => connections.closed());
    // Before the head is finished, which tells the length of the body.
    editAnswers(fastify);
    installHooks(fastify, new OpenHook(snapshots, deps), new CloseHook(deps));
    seated.seat(PipelineModule);
    runInBackground(fastify, deps.handlers, deps.logger);
    faults.add(seated.faultsOf(snapshots.current.table));
    snapshots.check(({ table }) => seated.faultsOf(table));
    admitHandlers(fastify, snapshots, seated.guards);
  }
}
