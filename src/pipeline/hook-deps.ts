import { Inject, Injectable, Optional } from '@nestjs/common';
import { TICKET_SECRET } from '../config/tokens.ts';
import { Draining } from '../health/draining.ts';
import { AnswerStore } from '../policies/cache/answer-store.ts';
import { HandlerRuns } from '../policies/cache/handler-runs.ts';
import { Recorder } from '../record/recorder.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { LOGGER } from '../telemetry/telemetry.module.ts';
import { Traffic } from '../traffic/traffic.ts';
import { Connections } from './connections.ts';

/** What the hooks of open and close need from other rooms. */
@Injectable()
export class HookDeps {
  /** See {@link TICKET_SECRET}. */
  @Optional() @Inject(TICKET_SECRET) readonly ticketSecret?: Buffer;
  @Inject(HandlerRuns) readonly handlers!: HandlerRuns;

  /** What exchanges are recorded by, when somebody asks for it. */
  @Optional() @Inject(Recorder) readonly recorder?: Recorder;

  /** What operators see live; undefined where nobody looks. */
  @Optional() @Inject(Traffic) readonly traffic?: Traffic;

  constructor(
    @Inject(LOGGER) readonly logger: Logger,
    readonly metrics: Metrics,
    readonly draining: Draining,
    readonly answers: AnswerStore,
    readonly connections: Connections,
  ) {}
}
