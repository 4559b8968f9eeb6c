import { randomFrom } from '../../../test/support/random.ts';
import {
  COMMAND_US,
  GATHER_MS,
  LOOK_US_A_KEY,
  POLL_MS,
  READ_LOG_US,
  READ_LOG_US_AN_ENTRY,
} from './constants.ts';
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
 * `CLIENT TRACKING`. This is its rule for tokens: the log is read 400 ms after the last time, with a `PING` on the second connection; of a key
 * that was written, and once more when it has expired, Redis tells all replicas, who look at it at once, and then at what they
 * have been told of in 100 ms together.
 */
export async function revocationReplicas(options: RevocationWorldOptions): Promise<RevocationOutcome> {
  const { replicas, perSecond, ms, seed } = options;
  const time = new VirtualTime();
  const model = new RedisModel(time, seed, options.trip);
  const random = randomFrom(seed + 1);
  /** When each key was written, and how many replicas have not looked at it yet. */
  const written: { readonly at: number; missing: number }[] = [];
  const known: number[] = [];
  const all = Array.from({ length: replicas }, () => ({
    read: 0,
    changed: [] as number[],
    isGathering: false,
  }));
  const poll = (replica: (typeof all)[number]): void => {
    model.send(COMMAND_US, ignore, ignore);
    const entries = written.length - replica.read;
    replica.read = written.length;
    model.send(COMMAND_US + READ_LOG_US + READ_LOG_US_AN_ENTRY * entries, ignore, () =>
      time.after(POLL_MS, () => poll(replica)),
    );
  };
  const look = (replica: (typeof all)[number]): void => {
    const changed = replica.changed.splice(0);
    replica.isGathering = true;
    time.after(GATHER_MS, () => {
      replica.isGathering = false;
      if (replica.changed.length > 0) look(replica);
    });
    model.send(COMMAND_US + READ_LOG_US + LOOK_US_A_KEY * changed.length, ignore, () => {
      for (const index of changed) {
        const one = written[index];
        if (one !== undefined && (one.missing -= 1) === 0) known.push(time.now - one.at);
      }
    });
  };
  const tell = (index: number): void =>
    model.publish(
      all.map((replica) => () => {
        replica.changed.push(index);
        if (!replica.isGathering) look(replica);
      }),
    );
  const revoke = (): void => {
    const at = time.now;
    // The log and the key; what Redis tells those who track its keys costs it what a message does.
    model.send(2 * COMMAND_US, () => tell(written.push({ at, missing: replicas }) - 1), ignore);
    // Another key expires in between.
    time.after(500 / perSecond, () => tell(-1));
    // As many in each world, so that worlds can be compared.
    time.after(1000 / perSecond, revoke);
  };
  for (const replica of all) time.after(random() * POLL_MS, () => poll(replica));
  if (perSecond > 0) time.after(POLL_MS, revoke);
  await time.runUntil(ms);
  known.sort((a, b) => a - b);
  return {
    commands: model.commands,
    deliveries: model.deliveries,
    revoked: written.length,
    knownMs: known[Math.floor(known.length / 2)] ?? NaN,
    latestMs: known.at(-1) ?? NaN,
    redis: model.busyMs / ms,
  };
}

function ignore(): void {}
