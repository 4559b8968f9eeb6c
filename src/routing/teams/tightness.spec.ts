import { describe, expect, it } from '@jest/globals';
import { policiesSchema } from '../gateway.schema.ts';
import { isTight } from './tightness.ts';

/** Parsed as a file would be. */
function parsed(policy: string, said: unknown): unknown {
  return said === undefined || said === 'any'
    ? said
    : (policiesSchema.parse({ [policy]: said }) as Record<string, unknown>)[policy];
}

const RATE = { key: 'ip', rate: 10, per: '1m' };

describe('isTight', () => {
  it.each<readonly [policy: string, said: unknown, bound: unknown, isTight: boolean]>([
    ['deadline', '10s', '15s', true],
    ['deadline', '20s', '15s', false],
    ['deadline', '20s', undefined, true],
    ['deadline', '2m', undefined, false],
    ['deadline', 'off', undefined, false],
    ['deadline', '2m', 'off', true],
    ['deadline', '2m', 'any', true],
    ['bodyLimit', '1MiB', undefined, true],
    ['bodyLimit', '2MiB', '1MiB', false],
    ['bodyLimit', 'off', '1MiB', false],
    ['authentication', 'public', undefined, false],
    ['authentication', 'public', { schemes: ['jwt'] }, false],
    ['authentication', 'public', 'public', true],
    ['authentication', { schemes: ['jwt'] }, { schemes: ['jwt', 'apiKey'] }, true],
    ['authentication', { schemes: ['apiKey'] }, { schemes: ['jwt'] }, false],
    ['authentication', { schemes: ['jwt'], optional: true }, { schemes: ['jwt'] }, false],
    ['authorization', { anyRole: ['admin'] }, { anyRole: ['admin', 'user'] }, true],
    ['authorization', { anyRole: ['guest'] }, { anyRole: ['user'] }, false],
    ['authorization', { allScopes: ['a', 'b'] }, { allScopes: ['a'] }, true],
    ['authorization', { allScopes: ['b'] }, { allScopes: ['a'] }, false],
    ['authorization', { anyRole: ['user'], mode: 'shadow' }, { anyRole: ['user'] }, false],
    ['authorization', { anyRole: ['user'] }, undefined, true],
    ['cors', { origins: ['https://a.example'] }, undefined, false],
    [
      'cors',
      { origins: ['https://a.example'] },
      { origins: ['https://a.example', 'https://b.example'] },
      true,
    ],
    ['cors', { origins: '*' }, { origins: ['https://a.example'] }, false],
    [
      'cors',
      { origins: ['https://a.example'], credentials: true },
      { origins: ['https://a.example'] },
      false,
    ],
    ['cors', 'off', undefined, true],
    ['rateLimit', RATE, undefined, true],
    [
      'rateLimit',
      [
        { ...RATE, rate: 5 },
        { key: 'principal', rate: 1 },
      ],
      RATE,
      true,
    ],
    ['rateLimit', { ...RATE, rate: 20 }, RATE, false],
    ['rateLimit', { ...RATE, per: '1s' }, RATE, false],
    ['rateLimit', { ...RATE, key: 'principal' }, RATE, false],
    ['rateLimit', { ...RATE, mode: 'shadow' }, RATE, false],
    ['concurrency', { max: 5 }, { max: 10 }, true],
    ['concurrency', { max: 20 }, { max: 10 }, false],
    ['concurrency', { max: 20, scope: 'gateway' }, undefined, false],
    ['loadShedding', 'low', undefined, true],
    ['loadShedding', 'critical', undefined, false],
    ['callerPriority', { tiers: { free: 'high' } }, undefined, false],
    ['securityHeaders', { frameOptions: 'SAMEORIGIN' }, {}, false],
    ['securityHeaders', {}, {}, true],
  ])('%s: %j against %j is %s', (policy, said, bound, expected) => {
    expect(isTight(policy, parsed(policy, said), parsed(policy, bound))).toBe(expected);
  });
});
