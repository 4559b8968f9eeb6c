import { describe, expect, it } from '@jest/globals';
import { status } from '@grpc/grpc-js';
import { catalogue, type ProblemCode } from '../problems/catalogue.ts';
import { Problem } from '../problems/problem.ts';
import { RefusedAnswer } from '../upstreams/http/http-caller.ts';
import { isUpstreamFault } from './upstream-fault.ts';

const TROUBLE: readonly string[] = [
  'upstream-timeout',
  'upstream-unreachable',
  'upstream-response-invalid',
  'upstream-exhausted',
  'circuit-open',
  'no-available-target',
  'upstream-saturated',
];

describe(isUpstreamFault.name, () => {
  it.each(Object.keys(catalogue) as ProblemCode[])('judges %s', (code) => {
    expect(isUpstreamFault(new Problem(code))).toBe(TROUBLE.includes(code));
  });

  it.each([
    [new RefusedAnswer('users', 500), true],
    [new RefusedAnswer('users', 503), true],
    [new RefusedAnswer('users', 401), false],
    [new RefusedAnswer('users', 410), false],
    [{ code: status.INTERNAL }, true],
    [{ code: status.UNKNOWN }, true],
    [{ code: status.UNAUTHENTICATED }, false],
    [undefined, false],
  ])('judges a refusal by its cause: %j', (cause, trouble) => {
    expect(isUpstreamFault(new Problem('upstream-rejected', { cause }))).toBe(trouble);
  });

  it('takes nothing else for a fault of the upstream', () => {
    expect([isUpstreamFault(new TypeError('x')), isUpstreamFault(undefined)]).toEqual([false, false]);
  });
});
