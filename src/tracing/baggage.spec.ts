import { expect, it } from '@jest/globals';
import { allowedBaggage } from './baggage.ts';

const tenant = new Set(['tenant']);

it('passes members whose keys are in the list, with their properties, and no others', () => {
  expect(allowedBaggage('user=8, tenant=7;ttl=1 ,tenant2=x', tenant)).toBe('tenant=7;ttl=1');
  expect(allowedBaggage('user=8', tenant)).toBeUndefined();
  expect(allowedBaggage('tenant=7', new Set())).toBeUndefined();
  expect(allowedBaggage(undefined, tenant)).toBeUndefined();
});

it('leaves out what is no member', () => {
  expect(allowedBaggage('tenant,tenant=a b,tenant="x",tenant=ü,tenant=ok', tenant)).toBe('tenant=ok');
});

it('passes 64 members and 8192 bytes at most, none of them cut', () => {
  const many = Array.from({ length: 70 }, () => 'tenant=1').join(',');
  expect(allowedBaggage(many, tenant)?.split(',')).toHaveLength(64);
  const large = [`tenant=${'x'.repeat(8000)}`, `tenant=${'y'.repeat(300)}`].join(',');
  expect(allowedBaggage(large, tenant)).toBe(`tenant=${'x'.repeat(8000)}`);
});

it('takes no time that grows with the square of a field', () => {
  const blanks = ' '.repeat(400_000);
  for (const bad of [
    `tenant=${blanks}"`,
    `tenant${blanks}"`,
    `tenant=a${blanks}"`,
    `tenant=a;${blanks}"`,
    blanks,
  ])
    expect(allowedBaggage(bad, tenant)).toBeUndefined();
  expect(allowedBaggage(`tenant=${blanks}`, tenant)).toBe('tenant=');
});
