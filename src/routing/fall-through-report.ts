import { Inject, Injectable } from '@nestjs/common';
import { GATEWAY_SOURCE } from '../config/tokens.ts';
import type { Logger } from '../telemetry/logger.ts';
import { LOGGER } from '../telemetry/telemetry.module.ts';
import { fallThroughs } from './fall-through.ts';
import { RouteTable } from './route-table.ts';
import type { GatewaySource } from './table-builder.ts';

/** Warns of paths that are not for everybody and fall through to a route that lets others in. */
@Injectable()
export class FallThroughReport {
  constructor(
    private readonly table: RouteTable,
    @Inject(GATEWAY_SOURCE) private readonly source: GatewaySource,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Logs one warning for each, with its place in the configuration. */
  warn(): void {
    for (const { message, ...place } of fallThroughs(this.table, this.source))
      this.logger.warn(place, message);
  }
}
