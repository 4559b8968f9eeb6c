import { Inject, Injectable, Module } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { readFileSync } from 'node:fs';
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
const LEAST_SECRET = 32;

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
  const key = encryptionKeysFile === undefined ? 'encryptionKeysEnv' : 'encryptionKeysFile';
  const from = encryptionKeysFile ?? encryptionKeysEnv;
  if (from === undefined) return undefined;
  const fault = (message: string): StageFault => new StageFault(['idempotency', key], `${from}: ${message}`);
  let text: string;
  try {
    text = encryptionKeysFile === undefined ? (process.env[from] ?? '') : readFileSync(from, 'utf8');
  } catch (error) {
    throw fault(`cannot be read (${(error as NodeJS.ErrnoException).code ?? 'fault'})`);
  }
  const secrets = text
    .split(/[,\n]/)
    .map((one) => one.trim())
    .filter((one) => one !== '');
  if (secrets.length === 0)
    throw fault(encryptionKeysFile === undefined ? 'set this environment variable' : 'expected a secret');
  if (secrets.some((one) => one.length < LEAST_SECRET))
    throw fault(`expected secrets of at least ${String(LEAST_SECRET)} characters`);
  return new KeyRing(secrets, 'gatehouse idempotency');
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
