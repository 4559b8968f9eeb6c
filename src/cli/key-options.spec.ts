import { describe, expect, it } from '@jest/globals';
import { keysCommand, limitOption } from './key-options.ts';
import { UsageError } from './options.ts';

const ID = '3f1c9a0be2d84471';
const bodyOf = (...args: string[]): unknown => {
  const command = keysCommand(['update', ID, ...args]);
  if (typeof command !== 'object' || command.name !== 'keys') throw new Error('no order');
  return command.body;
};

describe('keys update', () => {
  it('takes away what is given as an empty text, be it a name, a list or a bound', () => {
    expect(
      bodyOf('--role', '', '--permission', '', '--scope=', '--address', '', '--tier', '', '--rate', ''),
    ).toEqual({
      roles: null,
      permissions: null,
      scopes: null,
      addresses: null,
      tier: null,
      rateLimit: null,
    });
    expect(bodyOf('--expires', '', '--tenant', '')).toEqual({ expiresAt: null, tenant: null });
  });

  it('sets the rest, and leaves what is not named', () => {
    expect(bodyOf('--role', 'user', '--role', 'admin', '--expires', '90d', '--disable')).toEqual({
      roles: ['user', 'admin'],
      expiresIn: '90d',
      status: 'disabled',
    });
  });

  it.each([
    ['an empty name among others', ['update', ID, '--role', '', '--role', 'user']],
    ['an empty name for a new key', ['create', '--client', 'shop', '--role', '']],
    ['nothing to change', ['update', ID]],
    ['two keys', ['update', ID, ID, '--tier', 'pro']],
  ])('refuses %s', (_what, args) => {
    expect(() => keysCommand(args)).toThrow(UsageError);
  });
});

describe('limitOption', () => {
  it('reads a rate, its period and a burst', () => {
    expect(limitOption('600/1m:60')).toEqual({ rate: 600, per: '1m', burst: 60 });
    expect(limitOption('5/1s')).toEqual({ rate: 5, per: '1s' });
  });

  it.each(['600', '600:60', '600/', '/1m'])('refuses %s, whose period nobody knows', (text) => {
    expect(() => limitOption(text)).toThrow(
      `--rate ${text}: expected RATE/PERIOD[:BURST], such as 600/1m:60`,
    );
  });
});
