import { describe, expect, it } from '@jest/globals';
import { errors } from 'undici';
import { faultProblem, httpFault } from './http-faults.ts';

const coded = (code: string) => Object.assign(new Error('connect to secret-host failed'), { code });

describe('httpFault', () => {
  it.each([
    [coded('ECONNREFUSED'), 'upstream-unreachable', 'unreachable', true],
    [coded('EHOSTUNREACH'), 'upstream-unreachable', 'unreachable', true],
    [coded('ENOTFOUND'), 'upstream-unreachable', 'unreachable', true],
    [coded('ECONNRESET'), 'upstream-unreachable', 'reset', true],
    [coded('EPIPE'), 'upstream-unreachable', 'reset', true],
    [new errors.SocketError('other side closed'), 'upstream-unreachable', 'reset', true],
    [new errors.ConnectTimeoutError(), 'upstream-timeout', 'connect-timeout', true],
    [new errors.HeadersTimeoutError(), 'upstream-timeout', 'timeout', false],
    [new errors.BodyTimeoutError(), 'upstream-timeout', 'timeout', false],
    [new errors.HeadersOverflowError(), 'upstream-response-invalid', 'invalid', false],
    [
      Object.assign(new errors.HTTPParserError('bad'), { code: 'HPE_INVALID_CONSTANT' }),
      'upstream-response-invalid',
      'invalid',
      false,
    ],
    [new errors.HTTPParserError('bad'), 'upstream-response-invalid', 'invalid', false],
    [coded('CERT_HAS_EXPIRED'), 'upstream-unreachable', 'unreachable', true],
    [new Error('no code'), 'upstream-unreachable', 'unreachable', true],
    [undefined, 'upstream-unreachable', 'unreachable', true],
  ])('reads %p as %s', (error, code, outcome, retryable) => {
    expect(httpFault(error)).toMatchObject({ code, outcome, retryable });
  });

  it('never makes an answer of ours that blames the gateway or names the host', () => {
    const cause = coded('ECONNREFUSED');
    const problem = faultProblem(httpFault(cause), cause);
    expect([problem.status, problem.cause]).toEqual([502, cause]);
    expect(problem.message).not.toContain('secret-host');
  });
});
