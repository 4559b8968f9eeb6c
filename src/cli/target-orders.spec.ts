import { describe, expect, it } from '@jest/globals';
import { bundleCommand, configCommand } from './config-orders.ts';
import { targetsCommand } from './target-orders.ts';

describe(targetsCommand.name, () => {
  it.each([
    [['upstreams', '--json'], 'GET', '/upstreams', undefined],
    [
      ['eject', 'users', 'a:1', '--for', '5m', '--force'],
      'PUT',
      '/upstreams/users/targets/a%3A1/ejection',
      { for: '5m', force: true },
    ],
    [['restore', 'users', 'http://a:1/'], 'DELETE', '/upstreams/users/targets/a%3A1/ejection', undefined],
    [['restore', 'users', 'a:1'], 'DELETE', '/upstreams/users/targets/a%3A1/ejection', undefined],
    [['weight', 'users', 'a:1', '7'], 'PUT', '/upstreams/users/targets/a%3A1/weight', { weight: 7 }],
    [['weight', 'users', 'a:1', '--reset'], 'DELETE', '/upstreams/users/targets/a%3A1/weight', undefined],
    [
      ['breaker', 'open', 'users', 'a:1', '--force', '--reason', 'x'],
      'PUT',
      '/upstreams/users/targets/a%3A1/breaker',
      { state: 'open', force: true, reason: 'x' },
    ],
    [
      ['breaker', 'close', 'users', 'a:1'],
      'PUT',
      '/upstreams/users/targets/a%3A1/breaker',
      { state: 'closed' },
    ],
  ])('reads %j', (args, method, path, body) => {
    expect(targetsCommand(args)).toMatchObject({ method, path, body });
  });

  it.each([
    [['eject', 'users'], 'expected an upstream and a target'],
    [['weight', 'users', 'a:1', 'much'], 'a number from 1 to 1000'],
    [['breaker', 'opne', 'users', 'a:1'], 'did you mean "open"?'],
    [['eject', 'users', 'a:1', '--fore'], 'did you mean'],
  ])('refuses %j', (args, told) => {
    expect(() => targetsCommand(args)).toThrow(told);
  });
});

describe(configCommand.name, () => {
  it('reads what is asked for', () => {
    expect(configCommand(['rollback', '3', '--reason', 'x'])).toMatchObject({
      action: 'rollback',
      generations: [3],
      reason: 'x',
    });
    expect(configCommand(['reload', '--dry-run'])).toMatchObject({ action: 'reload', dryRun: true });
    expect(bundleCommand(['-o', 'f.gz'])).toMatchObject({ outFile: 'f.gz' });
    expect(configCommand(['-h'])).toBeUndefined();
  });

  it.each([
    [['rollbak', '3'], 'did you mean "rollback"?'],
    [['rollback'], 'expected 1 of the numbers'],
    [['diff', '1', 'x'], 'expected 2 of the numbers'],
    [['history', '--dry-run'], '--dry-run is for config reload'],
  ])('refuses %j', (args, told) => {
    expect(() => configCommand(args)).toThrow(told);
  });
});
