import { randomFrom } from '../../../test/support/random.ts';
import { COMMAND_US, POLL_MS, READ_LOG_US } from './constants.ts';
import { RedisModel, type RoundTrip } from './redis-model.ts';
import { VirtualTime } from './virtual-time.ts';

/** How many replicas hear of revocations, and how many there are. */
export interface RevocationWorldOptions {
  readonly replicas: number;
  /** Revocations of tokens in a second, at any replica. */
  readonly perSecond: number;
  readonly ms: number;
  readonly seed: number;
  readonly trip?: RoundTrip | undefined;
}

/** What became of it. */
export interface RevocationOutcome {
  readonly commands: number;
  readonly deliveries: number;
  readonly revoked: number;
  /** From the order until the last replica knows, in ms: half of them, and the slowest. */
  readonly knownMs: number;
  readonly latestMs: number;
  /** The share of a core that Redis works. */
  readonly redis: number;
}

/**
 * Replicas that read the log of revocations. `RevocationFeed` cannot be driven by a made-up clock: it opens connections of its own, for
 * `CLIENT TRACKING`. This is its rule: read at once when told and 400 ms after the last time anyway, one reading at a time, and
 * again where something was told meanwhile; each reading with a `PING` on the second connection; and a look at a key that was
 * written, and once more when it has expired, which Redis tells all replicas of.
 */
export async function revocationReplicas(options: RevocationWorldOptions): Promise<RevocationOutcome> {
  const { replicas, perSecond, ms, seed } = options;
  const time = new VirtualTime();
  const model = new RedisModel(time, seed, options.trip);
  const random = randomFrom(seed + 1);
  /** When each entry was ordered, and how many replicas have not read it yet. */
  const log: { readonly at: number; missing: number }[] = [];
  const known: number[] = [];
  const all = Array.from({ length: replicas }, () => ({
    read: 0,
    isReading: false,
    isWanted: false,
    turn: 0,
  }));
  const wake = (replica: (typeof all)[number]): void => {
    replica.isWanted = true;
    if (replica.isReading) return;
    replica.isReading = true;
    replica.isWanted = false;
    replica.turn += 1;
    const { turn } = replica;
    model.send(
      COMMAND_US,
      () => undefined,
      () => undefined,
    );
    model.send(
      COMMAND_US + READ_LOG_US,
      () => log.length,
      (length) => {
        for (; replica.read < length; replica.read += 1) {
          const entry = log[replica.read] as (typeof log)[number];
          if ((entry.missing -= 1) === 0) known.push(time.now - entry.at);
        }
        replica.isReading = false;
        if (replica.isWanted) return wake(replica);
        time.after(POLL_MS, () => {
          if (replica.turn === turn) wake(replica);
        });
      },
    );
  };
  const look = (): void =>
    model.send(
      COMMAND_US + READ_LOG_US,
      () => undefined,
      () => undefined,
    );
  const revoke = (): void => {
    const at = time.now;
    model.send(
      2 * COMMAND_US,
      () => void log.push({ at, missing: replicas }),
      () => model.publish(all.map((replica) => () => wake(replica))),
    );
    // What Redis tells those who track its keys costs it what a message does; another key expires meanwhile.
    for (let told = 0; told < 2; told += 1) model.publish(all.map(() => look));
    // As many in each world, so that worlds can be compared.
    time.after(1000 / perSecond, revoke);
  };
  for (const replica of all) time.after(random() * POLL_MS, () => wake(replica));
  if (perSecond > 0) time.after(POLL_MS, revoke);
  await time.runUntil(ms);
  known.sort((a, b) => a - b);
  return {
    commands: model.commands,
    deliveries: model.deliveries,
    revoked: log.length,
    knownMs: known[Math.floor(known.length / 2)] ?? NaN,
    latestMs: known.at(-1) ?? NaN,
    redis: model.busyMs / ms,
  };
}
