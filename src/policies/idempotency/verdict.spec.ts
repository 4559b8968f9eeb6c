import { describe, expect, it } from '@jest/globals';
import { createExchange } from '../../../test/support/exchange.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Route } from '../../routing/route.ts';
import type { ProblemCode } from '../../problems/catalogue.ts';
import { Problem } from '../../problems/problem.ts';
import { verdictOf, verdictOfOperation } from './verdict.ts';

const RETRYABLE = new Set([401, 408, 425, 429]);
const REFUSED = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });

interface Case {
  readonly door?: Route['door'];
  readonly isBegun?: boolean;
  /** Outcomes; with a `-` before them the target had certainly not begun. */
  readonly attempts?: readonly string[];
  readonly cause?: unknown;
}

function exchangeWith({ door = 'proxy', attempts = [] }: Case): Exchange {
  const exchange = createExchange({ method: 'POST' });
  exchange.route = { door } as Route;
  for (const one of attempts) {
    const line = { target: 't', outcome: one.startsWith('-') ? one.slice(1) : one, durationMs: 1 };
    exchange.attempts.push(one.startsWith('-') ? { ...line, untouched: true } : line);
  }
  return exchange;
}

function judge(code: ProblemCode, { isBegun = true, cause, ...more }: Case): string {
  const exchange = exchangeWith(more);
  return verdictOf(exchange, new Problem(code, { cause }), isBegun, RETRYABLE);
}

const handler = { door: 'handler' } as const;
const CASES: readonly (readonly [string, ProblemCode, Case, string])[] = [
  ['before anything began', 'internal', { isBegun: false, attempts: ['201'] }, 'released'],
  ['nobody was asked', 'circuit-open', {}, 'released'],
  [
    'nobody could be reached',
    'upstream-unreachable',
    { attempts: ['unreachable'], cause: REFUSED },
    'released',
  ],
  ['a fault that nobody knows', 'upstream-unreachable', { attempts: ['unreachable'] }, 'lost'],
  ['no connection was free', 'no-available-target', { attempts: ['no-connection'] }, 'released'],
  ['one of two was reached', 'no-available-target', { attempts: ['reset', 'no-connection'] }, 'lost'],
  ['reset', 'upstream-unreachable', { attempts: ['reset'] }, 'lost'],
  ['silent', 'upstream-timeout', { attempts: ['timeout'] }, 'lost'],
  ['the deadline', 'deadline-exceeded', { attempts: ['pending'] }, 'lost'],
  ['the client has left', 'client-closed', { attempts: ['pending'] }, 'lost'],
  ['the body did not come', 'request-timeout', { attempts: ['pending'] }, 'lost'],
  ['the body did not come, and nobody was asked', 'request-timeout', {}, 'released'],
  ['a refusal of gRPC', 'resource-not-found', { attempts: ['NOT_FOUND'] }, 'kept'],
  ['a refusal of this caller', 'permission-denied', { attempts: ['PERMISSION_DENIED'] }, 'released'],
  ['too much', 'rate-limited', { attempts: ['RESOURCE_EXHAUSTED'] }, 'released'],
  ['a handler says no', 'conflict', handler, 'kept'],
  ['a handler forbids', 'permission-denied', handler, 'kept'],
  ['a handler is not called', 'request-invalid', handler, 'released'],
  ['a handler finds nobody', 'circuit-open', handler, 'released'],
  ['a handler finds somebody else', 'circuit-open', { ...handler, attempts: ['200'] }, 'lost'],
  ['gRPC without a connection', 'upstream-unreachable', { attempts: ['-UNAVAILABLE'] }, 'released'],
  ['gRPC that was refused, and then lost', 'upstream-unreachable', { attempts: ['-UNAVAILABLE', 'UNAVAILABLE'] }, 'lost'], // prettier-ignore
  ['gRPC that says so itself', 'upstream-unreachable', { attempts: ['UNAVAILABLE'] }, 'lost'],
  [
    'a handler that reaches nobody',
    'upstream-unreachable',
    { ...handler, attempts: ['-UNAVAILABLE'] },
    'released',
  ],
  ['a handler that asks nobody, and says so', 'upstream-unreachable', handler, 'lost'],
  ['a handler with one call too many', 'rate-limited', { ...handler, attempts: ['429'] }, 'released'],
  [
    'a handler that has done more before that',
    'rate-limited',
    { ...handler, attempts: ['201', '429'] },
    'lost',
  ],
  ['a handler with a bug', 'internal', handler, 'lost'],
];

describe('what a problem means for a key', () => {
  it.each(CASES)('%s', (_what, code, at, verdict) => {
    expect(judge(code, at)).toBe(verdict);
  });
});

describe('what an operation of GraphQL means for a key', () => {
  type Row = readonly [string, { wasRun?: boolean; changes?: boolean }, ProblemCode[], string[], string];
  const ROWS: readonly Row[] = [
    ['not run', { wasRun: false }, [], [], 'released'],
    ['no faults', {}, [], ['200'], 'kept'],
    ['a refusal for good', {}, ['conflict'], ['409'], 'kept'],
    ['a timeout of what changes', {}, ['upstream-timeout'], ['timeout'], 'lost'],
    ['a timeout of what only reads', { changes: false }, ['upstream-timeout'], ['timeout'], 'released'],
    ['nobody was reached', {}, ['upstream-unreachable'], ['-UNAVAILABLE'], 'released'],
    ['one of two was reached', {}, ['upstream-unreachable'], ['200', '-UNAVAILABLE'], 'lost'],
    ['an open breaker', {}, ['circuit-open'], [], 'released'],
    ['too often', {}, ['rate-limited'], ['429'], 'released'],
    ['too often, after something else', {}, ['rate-limited'], ['200', '429'], 'lost'],
    ['refused for good, and for a moment', {}, ['conflict', 'rate-limited'], ['429'], 'released'],
    ['a moment, and nobody knows', {}, ['rate-limited', 'internal'], ['429'], 'lost'],
  ];
  it.each(ROWS)('%s', (_what, { wasRun = true, changes = true }, codes, attempts, verdict) => {
    const faults = codes.map((code) => new Problem(code));
    const exchange = exchangeWith({ door: 'handler', attempts });
    expect(verdictOfOperation(exchange, { wasRun, changes, faults }, RETRYABLE)).toBe(verdict);
  });
});
