import { addressBlock } from '../exchange/address-block.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { shownPathOf, shownQuery } from '../exchange/shown-target.ts';
import { redacted } from '../telemetry/redaction.ts';
import type { SpanNote } from '../telemetry/span-log.ts';
import { failureReason, refusalReason, slownessReason, type ReasonFacts } from './reason.ts';
import { placeOfRule } from './rule-place.ts';
import type { Kept, KeptOutcome } from './traffic-answers.ts';
import { waterfallOf } from './waterfall.ts';

const LONGEST_LINE = 4096;
const LONGEST_NAME = 200;
/** What requests count under that no route takes. */
export const UNMATCHED = '(none)';

/** An exchange that has closed, and what is known of it. */
export interface ClosedExchange {
  readonly exchange: Exchange;
  readonly durationMs: number;
  /** What it has done; undefined where nobody took notes. */
  readonly notes: readonly SpanNote[] | undefined;
  /** Its access line; made only for one that is kept. */
  line(): string;
}

/** Who asks, as callers are counted: the principal, or the block of the address. */
export function clientOf({ principal, clientAddress }: Exchange): string {
  return principal === undefined ? addressBlock(clientAddress) : bounded(principal.id);
}

/** What is kept of an exchange. @param atMs since the epoch. */
export function keptOf(closed: ClosedExchange, outcome: KeptOutcome, atMs: number): Kept {
  const { exchange, durationMs: ms, notes } = closed;
  const { route, trace, method, query, host, principal, operation, snapshot } = exchange;
  const problem = outcome === 'refused' || outcome === 'failed' ? saidBy(exchange) : undefined;
  const rule = problem && snapshot ? placeOfRule(problem, route, snapshot) : undefined;
  const client = exchange.clientAddress;
  const shown = redacted(shownPathOf(exchange) + (query === '' ? '' : shownQuery(query)));
  const bars = notes === undefined ? [] : waterfallOf(notes, exchange.startedAt, exchange.startedAt + ms);
  return {
    id: exchange.id,
    traceId: trace.traceId,
    at: new Date(atMs).toISOString(),
    outcome,
    method,
    path: shown,
    host: bounded(redacted(host)),
    route: route?.id ?? UNMATCHED,
    status: exchange.status,
    ms: Math.round(ms * 100) / 100,
    client,
    ...(principal && { principal: bounded(principal.id) }),
    ...(problem && { code: problem.code, stage: problem.entry.stage }),
    reason: reasonOf(outcome, {
      exchange,
      ms,
      problem,
      rule,
      client: principal ? bounded(principal.id) : client,
    }),
    ...(problem?.by !== undefined && { by: bounded(problem.by) }),
    ...(rule !== undefined && { rule }),
    ...(operation !== undefined && { operation }),
    explain: `${method} ${shown}`,
    line: closed.line().trimEnd().slice(0, LONGEST_LINE),
    ...(bars.length > 0 && { waterfall: bars }),
  };
}

/** What has said no: it may not be what was answered with. */
export function saidBy({ problem, denied }: Exchange): Exchange['problem'] {
  return denied ?? problem;
}

function reasonOf(outcome: KeptOutcome, facts: ReasonFacts): string {
  if (outcome === 'refused') return refusalReason(facts);
  return outcome === 'failed' ? failureReason(facts) : slownessReason(facts);
}

function bounded(text: string): string {
  return text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME)}…` : text;
}
