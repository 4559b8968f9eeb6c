import { describe, expect, it } from '@jest/globals';
import { appendFields, policyField, tightestOf } from './rate-limit-fields.ts';

const pass = { allowed: true, limit: 10, remaining: 4, resetMs: 1500, retryAfterMs: 0 };
const refusal = { allowed: false, limit: 5, remaining: 0, resetMs: 9001, retryAfterMs: 700 };

describe('policyField', () => {
  it('has an item per rule: the capacity and the seconds in which it fills', () => {
    const rules = [
      { name: 'ip', bucket: { rate: 60, perMs: 60_000, burst: 10 } },
      { name: 'principal', bucket: { rate: 100, perMs: 60_000, burst: 100 } },
      { name: 'global', bucket: { rate: 1000, perMs: 1000, burst: 3 } },
    ];
    expect(policyField(rules)).toBe('"ip";q=10;w=10, "principal";q=100;w=60, "global";q=3;w=1');
  });
});

describe('tightestOf', () => {
  it('prefers a refusal, then the longest wait', () => {
    const longer = { ...refusal, retryAfterMs: 900 };
    expect(tightestOf([pass, refusal, longer])).toBe(longer);
    expect(tightestOf([longer, refusal, pass])).toBe(longer);
  });

  it('prefers the pass with the least left', () => {
    const fewer = { ...pass, remaining: 1 };
    expect(tightestOf([pass, undefined, fewer])).toBe(fewer);
    expect(tightestOf([undefined, 'closed'])).toBeUndefined();
  });
});

describe('appendFields', () => {
  const rules = ['ip', 'principal'].map((name) => ({ name, bucket: { rate: 1, perMs: 1, burst: 1 } }));

  it('describes the tightest rule in X-RateLimit and each decided rule in RateLimit', () => {
    const headers = ['x-other', '1'];
    appendFields(headers, 'P', rules, [pass, refusal], refusal);
    expect(headers.join(' | ')).toBe(
      'x-other | 1 | RateLimit-Policy | P | RateLimit | "ip";r=4;t=2, "principal";r=0;t=1' +
        ' | X-RateLimit-Limit | 5 | X-RateLimit-Remaining | 0 | X-RateLimit-Reset | 10',
    );
  });

  it('leaves out what nobody knows', () => {
    const headers: string[] = [];
    appendFields(headers, 'P', rules, [undefined, pass], pass);
    expect(headers[3]).toBe('"principal";r=4;t=2');
    const bare: string[] = [];
    appendFields(bare, 'P', rules, [undefined, 'closed'], undefined);
    expect(bare).toEqual(['RateLimit-Policy', 'P']);
  });
});
