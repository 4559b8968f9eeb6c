import { Inject, Injectable, Module } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { readSecrets } from '../../config/secrets.ts';
import type { StoreGuard } from '../../store/store-guard.ts';
import { REDIS, STORE_GUARD } from '../../store/store.module.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { KeyRing } from '../authentication/login/key-ring.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import { StageFault } from '../stage-fault.ts';
import type { Stage } from '../stage.ts';
import { idempotencyPolicy, KEYED_METHODS } from './idempotency.policy.ts';
import { IdempotencyStage, type IdempotencyOptions } from './idempotency.stage.ts';
import { AnswerBytes } from './kept-answer.ts';
import { AloneRuns } from './alone-runs.ts';
import { MemoryKeyRecords } from './key-records.memory.ts';
import { RedisKeyRecords } from './key-records.redis.ts';
import { KEY_RECORDS, type KeyRecords } from './key-records.ts';

/** Kinds of routes whose requests are run by somebody. */
const RUNNING: ReadonlySet<string> = new Set(['forward', 'translate', 'handler']);

/** Compiles the `idempotency` policy. */
@Injectable()
export class IdempotencyStageFactory implements StageFactory {
  readonly policy = idempotencyPolicy;
  readonly #alone = new AloneRuns();

  constructor(
    @Inject(KEY_RECORDS) private readonly records: KeyRecords,
    private readonly metrics: Metrics,
  ) {}

  compile(input: StageInput): Stage | undefined {
    const { idempotency: options, authentication } = input.policies;
    const kind = input.door === 'handler' ? 'handler' : (input.action ?? 'forward');
    if (options === undefined || !RUNNING.has(kind) || !takesKeys(input)) return undefined;
    if (authentication === 'public' && options.anonymous === 'refuse')
      throw new StageFault(
        ['idempotency', 'anonymous'],
        'the route is public, so that every key would be refused; `address` keeps callers apart by their addresses, `idempotency: off` takes no keys',
      );
    return new IdempotencyStage(input, options, {
      routeId: input.routeId,
      records: this.records,
      bytes: new AnswerBytes(keysOf(options)),
      counts: this.metrics.idempotency,
      maxAnswer: options.maxAnswer,
      retryable: new Set(options.retryable),
      runsUnknown: options.onUnknown === 'run',
      policies: input.policies,
      alone: this.#alone,
      isOpen: options.onStoreError === 'open',
    });
  }
}

/** Whether a route can be asked by a method that keys are for: any other asks nothing of it, and costs nothing. */
function takesKeys({ reach, action }: StageInput): boolean {
  // What a translated route takes is said by its schema, not here.
  if (action === 'translate' || reach === undefined || reach.methods.length === 0) return true;
  return reach.methods.some((one) => KEYED_METHODS.has(one));
}

function keysOf({ encryptionKeysEnv, encryptionKeysFile }: IdempotencyOptions): KeyRing | undefined {
  if (encryptionKeysEnv === undefined && encryptionKeysFile === undefined) return undefined;
  const key = encryptionKeysFile === undefined ? 'encryptionKeysEnv' : 'encryptionKeysFile';
  try {
    const secrets = readSecrets({ variable: encryptionKeysEnv, file: encryptionKeysFile });
    return new KeyRing(secrets, 'gatehouse idempotency');
  } catch (error) {
    throw new StageFault(['idempotency', key], (error as Error).message);
  }
}

/** Binds where keys are kept: in Redis when there is one, in this process otherwise. Needs the `StoreModule`. */
@Module({
  providers: [
    {
      provide: KEY_RECORDS,
      useFactory: (redis: Redis | undefined, guard: StoreGuard | undefined) =>
        redis === undefined || guard === undefined
          ? new MemoryKeyRecords()
          : new RedisKeyRecords(redis, guard),
      inject: [REDIS, STORE_GUARD],
    },
    IdempotencyStageFactory,
  ],
  exports: [KEY_RECORDS, IdempotencyStageFactory],
})
export class IdempotencyModule {}

/** Registers the policy in THE ORDER. */
export const idempotency = {
  policy: idempotencyPolicy,
  factory: IdempotencyStageFactory,
  module: IdempotencyModule,
};
