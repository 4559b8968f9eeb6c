import { describe, expect, it } from '@jest/globals';
import { ConnectionEnded, MalformedAnswer, SilentService } from '../transport/http1/http1-faults.ts';
import { faultProblem, httpFault } from './http-faults.ts';

const coded = (code: string) => Object.assign(new Error('connect to secret-host failed'), { code });

describe('httpFault', () => {
  it.each([
    [coded('ECONNREFUSED'), 'upstream-unreachable', 'unreachable', true],
    [coded('EHOSTUNREACH'), 'upstream-unreachable', 'unreachable', true],
    [coded('ENOTFOUND'), 'upstream-unreachable', 'unreachable', true],
    [coded('ECONNRESET'), 'upstream-unreachable', 'reset', true],
    [coded('EPIPE'), 'upstream-unreachable', 'reset', true],
    [new ConnectionEnded('the connection ended before the answer'), 'upstream-unreachable', 'reset', true],
    [coded('ETIMEDOUT'), 'upstream-timeout', 'connect-timeout', true],
    [new SilentService('before its answer'), 'upstream-timeout', 'timeout', false],
    [new MalformedAnswer('its head is too large'), 'upstream-response-invalid', 'invalid', false],
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
