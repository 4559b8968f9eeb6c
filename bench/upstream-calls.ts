import { setTimeout as sleep } from 'node:timers/promises';
import { tokensOf, type Work } from './cases.ts';
import { ask } from './checks.ts';
import { readMetrics, requestsOf, upstreamCallsOf } from './metrics.ts';
import type { Stand, Subject } from './stand.ts';

/** Requests that are made one by one to count the calls of each. */
const COUNTED_REQUESTS = 20;
const QUIET_MS = 200;
const QUIET_WITHIN_MS = 10_000;
/** Calls per request that a busy minute may add: attempts that were made again. */
const TOLERATED_MORE = 0.05;
/** Sample services that a case may call; the issuer is asked for keys at any time. */
const NOT_CALLED = new Set(['identity', 'control']);
/** What a gateway asks by itself, whether there are requests or not. */
const PROBE = 'GET /healthz';

/** The totals of a gateway's metrics at one moment. */
export interface CallTotals {
  readonly requests: number;
  readonly calls: number;
}

interface ControlAnswer {
  readonly services: readonly {
    readonly name: string;
    readonly requests: { readonly total: number; readonly by: Readonly<Record<string, number>> };
  }[];
}

/**
 * Makes some requests one by one, and counts what reaches the services.
 *
 * @returns calls per request, by the services' own count.
 * @throws {Error} unless it is exactly what the case says, and a gateway's metrics say the same.
 */
export async function countCalls(one: Work, stand: Stand, subject: Subject): Promise<number> {
  const before = await quietCount(stand);
  const totals = await totalsOf(one, subject);
  const [token] = tokensOf(one, stand.tokens);
  for (let i = 0; i < COUNTED_REQUESTS; i += 1) await ask(one, subject, token);
  const seen = ((await quietCount(stand)) - before) / COUNTED_REQUESTS;
  const told = perRequest(totals, await totalsOf(one, subject)) ?? seen;
  const isTwin = subject.adminOrigin === '';
  const expected = isTwin ? (one.twinCalls ?? one.upstreamCalls) : one.upstreamCalls;
  if (seen !== expected || told !== expected) {
    throw new Error(
      `${subject.name}: ${seen} upstream calls per request by the services' count, ${told} by its metrics, expected ${expected}`,
    );
  }
  return seen;
}

/** What a gateway's metrics say when nothing is under way; undefined for a twin, which has none. */
export async function totalsOf(one: Work, subject: Subject): Promise<CallTotals | undefined> {
  if (subject.adminOrigin === '') return undefined;
  const giveUpAt = Date.now() + QUIET_WITHIN_MS;
  for (let known: CallTotals | undefined; ; await sleep(QUIET_MS)) {
    const metrics = await readMetrics(subject.adminOrigin);
    const now = { requests: requestsOf(metrics, one.routeId), calls: upstreamCallsOf(metrics).all };
    if (known?.requests === now.requests && known.calls === now.calls) return now;
    if (Date.now() > giveUpAt) throw new Error('requests of a round that has ended are still under way');
    known = now;
  }
}

/**
 * The calls per request between two moments under load.
 *
 * @throws {Error} when there were more than the case says: something called twice, or did not travel together.
 */
export function callsUnderLoad(
  one: Work,
  before: CallTotals | undefined,
  after: CallTotals | undefined,
): number {
  const calls = perRequest(before, after) ?? NaN;
  if (calls <= one.upstreamCalls + TOLERATED_MORE) return calls;
  throw new Error(`${calls.toFixed(2)} upstream calls per request under load, expected ${one.upstreamCalls}`);
}

function perRequest(before: CallTotals | undefined, after: CallTotals | undefined): number | undefined {
  if (before === undefined || after === undefined) return undefined;
  return (after.calls - before.calls) / (after.requests - before.requests);
}

/** How many requests the services have seen, once there are no more of a round that has ended. */
async function quietCount(stand: Stand): Promise<number> {
  const giveUpAt = Date.now() + QUIET_WITHIN_MS;
  for (let known = -1; ; await sleep(QUIET_MS)) {
    const { services } = (await (await fetch(`${stand.controlOrigin}/services`)).json()) as ControlAnswer;
    const now = services
      .filter(({ name }) => !NOT_CALLED.has(name))
      .reduce((sum, { requests: { total, by } }) => sum + total - (by[PROBE] ?? 0), 0);
    if (now === known) return now;
    if (Date.now() > giveUpAt) throw new Error('calls of a round that has ended still reach the services');
    known = now;
  }
}
