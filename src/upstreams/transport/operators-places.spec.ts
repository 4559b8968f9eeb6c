import { afterEach, expect, it } from '@jest/globals';
import { keepTargetsFrom, leadsToOperators } from './operators-places.ts';

let free: (() => void) | undefined;

afterEach(() => free?.());

const leads = (remoteAddress: string, localAddress = '10.0.0.9', remotePort = 9080): boolean =>
  leadsToOperators({ remoteAddress, localAddress, remotePort });

it('an address is kept for operators with its port only, however it is written', () => {
  free = keepTargetsFrom({ host: '127.0.0.1', port: 9080 });
  expect([leads('127.0.0.1'), leads('::ffff:127.0.0.1')]).toEqual([true, true]);
  expect(leads('127.0.0.1', '127.0.0.1', 9081)).toBe(false);
  expect([leads('127.0.0.2'), leads('10.0.0.9')]).toEqual([false, false]);
  free();
  expect(leads('127.0.0.1')).toBe(false);
});

it.each(['0.0.0.0', '::'])('%s is every address of this machine, and of no other', (host) => {
  free = keepTargetsFrom({ host, port: 9080 });
  expect([leads('127.0.0.5'), leads('::1'), leads('10.0.0.9'), leads('::ffff:10.0.0.9')]).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(leads('10.0.0.7')).toBe(false);
});

it('a name is any of what it may mean here', () => {
  free = keepTargetsFrom({ host: 'localhost', port: 9080 });
  expect([leads('127.0.0.1'), leads('::1'), leads('10.0.0.7')]).toEqual([true, true, false]);
});
