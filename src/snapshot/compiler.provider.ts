import type { Provider, Type } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { AuditTrail } from '../audit/audit-trail.ts';
import { PUB_SUB } from '../config/tokens.ts';
import { Identity } from '../policies/authentication/identity.ts';
import { CacheRooms } from '../policies/cache/cache-rooms.ts';
import { LoadMonitor } from '../policies/load-shedding/load-monitor.ts';
import { STAGE_FACTORIES, type StageFactory } from '../policies/stage-factory.ts';
import { BootFaults } from '../routing/boot-faults.ts';
import { ACTION_KINDS, type ActionKind } from '../routing/route-action.ts';
import type { RouteDefinition } from '../routing/route.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import { KeyRings } from '../signing/key-rings.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { LOGGER } from '../telemetry/telemetry.module.ts';
import type { HintChannel } from '../upstreams/health/breaker-hints.ts';
import { EDGE_COMPILER, NO_EDGE, type EdgeCompiler } from './edge.ts';
import { SnapshotCompiler } from './snapshot-compiler.ts';

type Room = [Logger, Metrics, readonly ActionKind[], DiscoveryService, BootFaults];
type Judges = [
  readonly StageFactory[],
  Identity | undefined,
  EdgeCompiler | undefined,
  HintChannel | undefined,
  AuditTrail | undefined,
  KeyRings | undefined,
  LoadMonitor | undefined,
  CacheRooms | undefined,
];

/** Provides the compiler; who judges callers and opens exchanges may be absent where nobody comes in. */
export function compilerProvider(
  definitions: (source: GatewaySource) => readonly RouteDefinition[],
): Provider {
  const optional = (token: symbol | Type) => ({ token, optional: true });
  return {
    provide: SnapshotCompiler,
    useFactory: (...[logger, metrics, actions, discovery, faults, ...judges]: [...Room, ...Judges]) => {
      const [factories, identity, compileEdge = () => NO_EDGE, channel, audit, rings, load, rooms] = judges;
      const controllers = discovery
        .getControllers()
        .flatMap(({ metatype }) => (metatype ? [metatype as Type] : []));
      for (const controller of controllers) faults.examined(controller);
      const shared = { logger, metrics, actions, factories, controllers, definitions };
      return new SnapshotCompiler({ ...shared, identity, compileEdge, channel, audit, rings, load, rooms });
    },
    inject: [
      LOGGER,
      Metrics,
      ACTION_KINDS,
      DiscoveryService,
      BootFaults,
      STAGE_FACTORIES,
      optional(Identity),
      optional(EDGE_COMPILER),
      optional(PUB_SUB),
      optional(AuditTrail),
      optional(KeyRings),
      optional(LoadMonitor),
      optional(CacheRooms),
    ],
  };
}
