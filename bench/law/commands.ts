import type { Redis } from 'ioredis';

/** What a Redis was asked to do up to now. */
export interface Commands {
  /** Those that clients have sent. */
  readonly sent: number;
  /** Those, and what their scripts have done, but for the messages of the bench itself. */
  readonly all: number;
}

/** Scripts are commands of clients, what is called in them is not: these are what gateways send besides. */
const SENT = /^(eval|evalsha|eval_ro|evalsha_ro|ping|subscribe|client.*|multi|exec|script.*)$/;
const OWN = /^(info|config.*|publish|set)$/;

/** Reads `INFO commandstats`. */
export async function commandsOf(redis: Redis): Promise<Commands> {
  const stats = await redis.info('commandstats');
  let [sent, all] = [0, 0];
  for (const [, name = '', calls] of stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
    if (OWN.test(name)) continue;
    all += Number(calls);
    if (SENT.test(name)) sent += Number(calls);
  }
  return { sent, all };
}
