import {
  Inject,
  Injectable,
  Optional,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { DRY_RUN } from '../config/tokens.ts';
import { REDIS } from '../store/store.module.ts';
import type { AuditEvent } from './audit-event.ts';
import { AuditTrail } from './audit-trail.ts';

/** A list in Redis of events that wait for a gateway. */
const WAITING = 'audit:waiting';
/** Newer ones only are kept. */
const MOST_WAITING = 1000;
const KEPT_S = 30 * 24 * 3600;
const LOOK_MS = 2000;
const MOST_AT_ONCE = 50;

const text = z.string().max(500);
// Whoever may write to Redis may make keys as well; no more than that may be said by it.
const waitingEvent = z.object({
  at: z.iso.datetime(),
  action: z.literal('created'),
  target: text,
  by: text,
  host: text,
  clientId: text,
});

/** A key that a command line has made in Redis. */
export type WaitingEvent = z.output<typeof waitingEvent>;

/** Leaves an event for the next gateway that looks, which writes it to its audit. Rejects as Redis does. */
export async function leaveEvent(redis: Redis, event: WaitingEvent): Promise<void> {
  await redis.rpush(WAITING, JSON.stringify(waitingEvent.parse(event)));
  await redis.ltrim(WAITING, -MOST_WAITING, -1);
  await redis.expire(WAITING, KEPT_S);
}

/**
 * Writes what a command line has left in Redis: one of all gateways takes each event. Where no gateway writes events of keys,
 * they stay, the last thousand for thirty days.
 */
@Injectable()
export class AuditInbox implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #trail: AuditTrail;
  readonly #redis: Redis | undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #isLooking = false;

  constructor(
    trail: AuditTrail,
    @Optional() @Inject(REDIS) redis?: Redis,
    @Optional() @Inject(DRY_RUN) isDryRun = false,
  ) {
    this.#trail = trail;
    this.#redis = isDryRun ? undefined : redis;
  }

  onApplicationBootstrap(): void {
    if (this.#redis === undefined) return;
    this.#timer = setInterval(() => void this.look(), LOOK_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.#timer);
  }

  /** Takes what waits. Never rejects: what cannot be read now is there the next time. */
  async look(): Promise<void> {
    const redis = this.#redis;
    if (redis?.status !== 'ready' || this.#isLooking || !this.#trail.writes('key')) return;
    this.#isLooking = true;
    try {
      const lines = await redis.lpop(WAITING, MOST_AT_ONCE);
      for (const line of lines ?? []) this.#write(line);
    } catch {
      // The store guard tells of a Redis that fails; nothing was taken.
    } finally {
      this.#isLooking = false;
    }
  }

  #write(line: string): void {
    const event = readEvent(line);
    if (event !== undefined) this.#trail.record(event);
  }
}

function readEvent(line: string): AuditEvent | undefined {
  try {
    const { at, action, target, by, host, clientId } = waitingEvent.parse(JSON.parse(line));
    const actor = { type: 'cli', id: by } as const;
    return { kind: 'key', action, outcome: 'done', actor, target, details: { at, host, clientId } };
  } catch {
    return undefined;
  }
}
