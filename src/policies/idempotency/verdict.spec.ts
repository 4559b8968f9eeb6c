import { describe, expect, it } from '@jest/globals';
import { createExchange } from '../../../test/support/exchange.ts';
import type { Route } from '../../routing/route.ts';
import type { ProblemCode } from '../../problems/catalogue.ts';
import { Problem } from '../../problems/problem.ts';
import { verdictOf } from './verdict.ts';

const RETRYABLE = new Set([401, 408, 425, 429]);
const REFUSED = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });

interface Case {
  readonly door?: Route['door'];
  readonly isBegun?: boolean;
  readonly attempts?: readonly string[];
  readonly cause?: unknown;
}

function judge(code: ProblemCode, { door = 'proxy', isBegun = true, attempts = [], cause }: Case): string {
  const exchange = createExchange({ method: 'POST' });
  exchange.route = { door } as Route;
  for (const outcome of attempts) exchange.attempts.push({ target: 't', outcome, durationMs: 1 });
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
  ['a handler with a bug', 'internal', handler, 'lost'],
];

describe('what a problem means for a key', () => {
  it.each(CASES)('%s', (_what, code, at, verdict) => {
    expect(judge(code, at)).toBe(verdict);
  });
});
