import { Inject, Injectable } from '@nestjs/common';
import { Draining } from '../health/draining.ts';
import { AnswerStore } from '../policies/cache/answer-store.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { LOGGER } from '../telemetry/telemetry.module.ts';
import { Connections } from './connections.ts';

/** What the hooks of open and close need from other rooms. */
@Injectable()
export class HookDeps {
  constructor(
    @Inject(LOGGER) readonly logger: Logger,
    readonly metrics: Metrics,
    readonly draining: Draining,
    readonly answers: AnswerStore,
    readonly connections: Connections,
  ) {}
}
