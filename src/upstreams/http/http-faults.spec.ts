import { describe, expect, it } from '@jest/globals';
import { ConnectionEnded, MalformedAnswer, SilentService } from '../transport/http1/http1-faults.ts';
import { faultProblem, httpFault } from './http-faults.ts';

const coded = (code: string) => Object.assign(new Error('connect to secret-host failed'), { code });

describe('httpFault', () => {
  it.each([
    [coded('ECONNREFUSED'), 'upstream-unreachable', 'unreachable', 'connect'],
    [coded('EHOSTUNREACH'), 'upstream-unreachable', 'unreachable', 'connect'],
    [coded('ENOTFOUND'), 'upstream-unreachable', 'unreachable', 'connect'],
    [coded('ECONNRESET'), 'upstream-unreachable', 'reset', 'reset'],
    [coded('EPIPE'), 'upstream-unreachable', 'reset', 'reset'],
    [new ConnectionEnded('the connection ended before the answer'), 'upstream-unreachable', 'reset', 'reset'],
    [coded('ETIMEDOUT'), 'upstream-timeout', 'connect-timeout', 'connect'],
    [new SilentService('before its answer'), 'upstream-timeout', 'timeout', 'timeout'],
    [new MalformedAnswer('its head is too large'), 'upstream-response-invalid', 'invalid', 'reset'],
    [coded('CERT_HAS_EXPIRED'), 'upstream-unreachable', 'unreachable', 'connect'],
    [new Error('no code'), 'upstream-unreachable', 'unreachable', 'connect'],
    [undefined, 'upstream-unreachable', 'unreachable', 'connect'],
  ])('reads %p as %s', (error, code, outcome, retry) => {
    expect(httpFault(error)).toMatchObject({ code, outcome, retry });
  });

  it('holds a broken connection against the target, unless it had ended its side while it was written to', () => {
    expect(httpFault(coded('ECONNRESET')).isNeutral).toBeUndefined();
    expect(httpFault(coded('EPIPE')).isNeutral).toBe(true);
  });

  it('never makes an answer of ours that blames the gateway or names the host', () => {
    const cause = coded('ECONNREFUSED');
    const problem = faultProblem(httpFault(cause), cause);
    expect([problem.status, problem.cause]).toEqual([502, cause]);
    expect(problem.message).not.toContain('secret-host');
  });
});
