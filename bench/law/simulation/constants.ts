/**
 * What was measured, and what is set in the code of the gateway, as far as the simulation and the page about capacity go by it. The
 * page is written from these numbers: `node scripts/generate-capacity.ts`.
 *
 * @module
 */

/** Of a round trip to a Redis in the same zone; `--p50` and `--p99` set others. Over loopback and `veth` it is shorter. */
export const ROUND_TRIP_MS = { p50: 0.5, p99: 3 };

/** What a use of Redis on the path of a request may take (docs/redis.md). */
export const BUDGET_MS = 10;

/** The least that Redis works for any command of one connection: to read it, to do it, to answer. `npm run law -- --redis`. */
export const COMMAND_US = 10;

/** The script of an exact limit that is one token bucket. `npm run law -- --redis`. */
export const EXACT_US = 14;

/** `PUBLISH`, and for each connection that listens. `npm run law -- --redis`. */
export const PUBLISH_US = 3;
export const PUBLISH_US_A_LISTENER = 1.9;

/** The script of a lease; and for each replica that holds one of the same limit, where it looks at all of them. `npm run law -- --redis`. */
export const LEASE_US = 25;
export const LEASE_US_A_HOLDER = 1.1;

/** Of the code: what each replica asks of Redis though nobody asks anything of it, commands a second. */
export const IDLE_COMMANDS = {
  /** `Replicas`: one beat in 1000 ms. */
  beat: 1,
  /** `PubSub`: one `PING` in 500 ms on the connection that listens. */
  heartbeat: 2,
  /** `RevocationFeed`: the log once in 400 ms; and a `PING` beside it on the connection that hears of keys. */
  revocations: 5,
  /** `Rollouts`: each rollout once in 1000 ms. */
  canary: 1,
} as const;

/** `RevocationFeed`: how often the log is read without news; and in how many ms news are looked at together. */
export const POLL_MS = 400;
export const GATHER_MS = 100;
/** `Rollouts`: how often a rollout is told and asked. */
export const TICK_MS = 1000;
/** `Leases`: how often it is looked for what is idle. */
export const SWEEP_MS = 100;

/** The script of a rollout: it reads a state, a hash of durations and up to fifty changes. `npm run law -- --redis`. */
export const CANARY_US = 100;
/** The script that reads the log of revocations, and the one that asks for keys. `npm run law -- --redis`. */
export const READ_LOG_US = 5;
/** And for each entry, and each key. `npm run law -- --redis`. */
export const READ_LOG_US_AN_ENTRY = 4;
export const LOOK_US_A_KEY = 0.6;
