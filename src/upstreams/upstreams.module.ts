import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { GATEWAY_SOURCE } from '../config/tokens.ts';
import { LOGGER } from '../telemetry/telemetry.module.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { GrpcCaller } from './grpc/grpc-caller.ts';
import { logGrpcTo } from './grpc/grpc-log.ts';
import { HttpCaller } from './http/http-caller.ts';
import { UpstreamRegistry } from './upstream-registry.ts';
import type { UpstreamOptions } from './upstream.schema.ts';

interface UpstreamSource {
  readonly value: { readonly upstreams: Readonly<Record<string, UpstreamOptions>> };
}

/** Provides the upstreams and the two ways to call them from code. */
@Module({
  providers: [
    {
      provide: UpstreamRegistry,
      useFactory: (source: UpstreamSource, logger: Logger, metrics: Metrics) =>
        new UpstreamRegistry(source.value.upstreams, logger, metrics),
      inject: [GATEWAY_SOURCE, LOGGER, Metrics],
    },
    HttpCaller,
    GrpcCaller,
  ],
  exports: [UpstreamRegistry, HttpCaller, GrpcCaller],
})
export class UpstreamsModule implements OnApplicationShutdown {
  constructor(
    private readonly upstreams: UpstreamRegistry,
    private readonly grpc: GrpcCaller,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    logGrpcTo(logger);
  }

  /** Runs after the last exchange has ended. */
  async onApplicationShutdown(): Promise<void> {
    this.grpc.close();
    await this.upstreams.close();
    this.logger.flush();
  }
}
