import type { Redis } from 'ioredis';

/** What a Redis was asked to do up to now. */
export interface Commands {
  /** Those that clients have sent. */
  readonly sent: number;
  /** What their scripts have done with keys: as much for each limit that is taken, however many of them travel in one call. */
  readonly touched: number;
}

/** Scripts are commands of clients, what is called in them is not: these are what gateways send besides. */
const SENT = /^(eval|evalsha|eval_ro|evalsha_ro|ping|subscribe|client.*|multi|exec|script.*)$/;
/** Of the bench itself; and the clock, which a script reads once, however much it does. */
const LEFT_OUT = /^(info|config.*|publish|set|time)$/;

/** Reads `INFO commandstats` of all of them. */
export async function commandsOf(redises: readonly Redis[]): Promise<Commands> {
  const all = await Promise.all(redises.map((redis) => redis.info('commandstats')));
  const sum = (what: keyof Commands): number => all.reduce((of, stats) => of + readCommands(stats)[what], 0);
  return { sent: sum('sent'), touched: sum('touched') };
}

/** Reads what Redis says. */
export function readCommands(stats: string): Commands {
  let [sent, touched] = [0, 0];
  for (const [, name = '', calls] of stats.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
    if (LEFT_OUT.test(name)) continue;
    if (SENT.test(name)) sent += Number(calls);
    else touched += Number(calls);
  }
  return { sent, touched };
}
