import { expect, it } from '@jest/globals';
import { addressBlockText } from './address-block.ts';

it.each([
  'loopback',
  '10.0.0.1',
  '10.0.0.0/8',
  '0.0.0.0/0',
  '10.0.0.1/32',
  '::1',
  '2001:db8::/32',
  '::/0',
  '::1/128',
])('takes %s', (text) => {
  expect(addressBlockText.safeParse(text).success).toBe(true);
});

it.each([
  '',
  'localhost',
  '10.0.0',
  '10.0.0.1/33',
  '::1/129',
  '10.0.0.0/',
  '10.0.0.0/a',
  'fe80::1%eth0',
  '10.0.0.1 ',
  '10.0.0.0/8/8',
])('refuses %j, and says what is expected', (text) => {
  expect(addressBlockText.safeParse(text).error?.issues).toMatchObject([
    { message: 'expected `loopback`, an address or a CIDR block' },
  ]);
});
