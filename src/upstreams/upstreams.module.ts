import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { LOGGER } from '../telemetry/telemetry.module.ts';
import type { Logger } from '../telemetry/logger.ts';
import { GrpcCaller } from './grpc/grpc-caller.ts';
import { logGrpcTo } from './grpc/grpc-log.ts';
import { HttpCaller } from './http/http-caller.ts';

/** Provides the ways to call upstreams; which upstreams there are is a matter of the snapshot. */
@Module({
  providers: [HttpCaller, GrpcCaller],
  exports: [HttpCaller, GrpcCaller],
})
export class UpstreamsModule implements OnApplicationShutdown {
  constructor(
    private readonly grpc: GrpcCaller,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    logGrpcTo(logger);
  }

  /** Runs after the last exchange has ended. */
  onApplicationShutdown(): void {
    this.grpc.close();
    this.logger.flush();
  }
}
