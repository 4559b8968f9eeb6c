import { Global, Module } from '@nestjs/common';
import { RedirectKind } from '../answers/redirect.action.ts';
import { RespondKind } from '../answers/respond.action.ts';
import { KeySetKind } from '../answers/key-set.action.ts';
import { QuotasKind } from '../answers/quotas.action.ts';
import { AggregateKind } from '../bff/aggregation/aggregate.action.ts';
import { Rollouts } from '../canary/rollouts.ts';
import { ForwardKind } from '../proxy/forward.kind.ts';
import { PassGrpcKind } from '../proxy/grpc/pass-grpc.action.ts';
import { EventStreams } from '../proxy/event-streams.ts';
import { ForwardedSockets } from '../proxy/forwarded-sockets.ts';
import { Mirrors } from '../proxy/mirror/mirrors.ts';
import { VersionsKind } from '../proxy/versions.action.ts';
import { LoginKind } from '../login/login.action.ts';
import { ACTION_KINDS, type ActionKind } from '../routing/route-action.ts';
import { configFormOf } from '../routing/teams/read-gateway.ts';
import { TranslateKind } from '../transcoding/translate.action.ts';
import { CallsModule } from '../calls/calls.module.ts';
import { UpstreamsModule } from '../upstreams/upstreams.module.ts';

/**
 * THE ACTIONS: what can answer a route of the file. A line here is all that a new kind needs outside of its room: its
 * keys in the file, what they may not stand beside, its routes and its contract follow from it. Controllers and
 * resolvers are no kind of route of the file.
 */
export const actionKinds = [
  ForwardKind, //      upstream, rewrite   proxy/
  TranslateKind, //    grpc                transcoding/
  PassGrpcKind, //     passGrpc            proxy/grpc/
  AggregateKind, //    aggregate           bff/aggregation/
  RedirectKind, //     redirect            answers/
  RespondKind, //      respond             answers/
  VersionsKind, //     versions            proxy/
  KeySetKind, //       keySet              answers/
] as const;

/** What configurations are read as: the file of the gateway, and those of teams that it includes. */
export const configForm = configFormOf(actionKinds.map(({ source }) => source));

/** The schema of the whole configuration file. */
export const gatewaySchema = configForm.gateway;

/** All kinds; those besides answer routes that come with another key of the file. */
const kinds = [...actionKinds, LoginKind, QuotasKind];

/** Provides the kinds to whoever compiles routes. */
@Global()
@Module({
  imports: [UpstreamsModule, CallsModule],
  providers: [
    ...kinds,
    ForwardedSockets,
    EventStreams,
    Rollouts,
    Mirrors,
    { provide: ACTION_KINDS, useFactory: (...made: ActionKind[]) => made, inject: kinds },
  ],
  exports: [ACTION_KINDS, EventStreams, Rollouts],
})
export class ActionsModule {}
