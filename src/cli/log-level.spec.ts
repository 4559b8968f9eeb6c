import { describe, expect, it } from '@jest/globals';
import { logLevelCommand } from './log-level.ts';

describe(logLevelCommand.name, () => {
  it('reads a level and for how long', () => {
    expect(logLevelCommand(['debug', '--for', '5m', '--admin', 'http://127.0.0.1:1'])).toEqual({
      name: 'log-level',
      level: 'debug',
      for: '5m',
      reset: false,
      admin: 'http://127.0.0.1:1',
      json: false,
    });
    expect(logLevelCommand([])).toMatchObject({ level: undefined, reset: false });
    expect(logLevelCommand(['--reset', '--json'])).toMatchObject({ reset: true, json: true });
    expect(logLevelCommand(['-h'])).toBeUndefined();
  });

  it.each([
    [['debgu'], 'did you mean "debug"?'],
    [['debug', '--reset'], 'not both'],
    [['--for', '5m'], 'expected a level before --for'],
    [['debug', 'info'], 'unexpected argument "info"'],
    [['debug', '--admin', 'here'], 'to be an origin'],
  ])('refuses %j', (args, told) => {
    expect(() => logLevelCommand(args)).toThrow(told);
  });
});
