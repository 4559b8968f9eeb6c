import { expect, it } from '@jest/globals';
import { asUsage, OrderRefused } from './order-refused.ts';

it.each([
  ['for: expected 1h at most', ['record', '--for', '2h'], 'record: --for: expected 1h at most'],
  [
    'issuedBefore: expected a time',
    ['revoke', '--sub', '7', '--before=x'],
    'revoke: --before: expected a time',
  ],
  [
    'addresses[0]: expected an address',
    ['keys', 'create', '--address', 'x'],
    'keys: --address: expected an address',
  ],
  ['tier: there is no tier "nope"', ['tiers', 'set', 'nope'], 'tiers: tier: there is no tier "nope"'],
  ['there is no such route', ['canary', 'pause'], 'canary: there is no such route'],
])('%s is told of the option that it came from, for %j', (message, args, told) => {
  expect(asUsage(new OrderRefused(message), args)).toMatchObject({ message: told, exitCode: 2 });
});
