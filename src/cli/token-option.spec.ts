import { describe, expect, it } from '@jest/globals';
import { UsageError } from './options.ts';
import { takeToken } from './token-option.ts';

describe('what a command shows', () => {
  it('is taken out of its arguments', () => {
    expect(takeToken(['keys', 'list', '--token', 'abc', '--json'])).toEqual({
      rest: ['keys', 'list', '--json'],
      shown: { ADMIN_TOKEN: 'abc' },
    });
    expect(takeToken(['quota', '--token=a=b', '--ca-file', 'ca.pem'])).toEqual({
      rest: ['quota'],
      shown: { ADMIN_TOKEN: 'a=b', ADMIN_CA_FILE: 'ca.pem' },
    });
    expect(takeToken(['keys', '--token-file=f']).shown).toEqual({ ADMIN_TOKEN_FILE: 'f', ADMIN_TOKEN: '' });
  });

  it('is left alone where no gateway is asked', () => {
    const args = ['import', '--token', 'x'];
    expect(takeToken(args)).toEqual({ rest: args, shown: {} });
  });

  it.each([
    [['keys', '--token']],
    [['keys', '--token=']],
    [['keys', '--token', '--json']],
    [['keys', '--ca-file']],
    [['keys', '--token', 'a', '--token-file', 'b']],
  ])('makes sense, unlike %j', (args) => expect(() => takeToken(args)).toThrow(UsageError));
});
