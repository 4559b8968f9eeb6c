import { describe, expect, it } from '@jest/globals';
import { DEMO_HELP, readDemoOptions } from './demo-options.ts';

describe('readDemoOptions', () => {
  it.each([
    [[], { traffic: true, quiet: false, help: false }],
    [['--no-traffic'], { traffic: false, quiet: false, help: false }],
    [['-q', '--no-traffic'], { traffic: false, quiet: true, help: false }],
    [['--help'], { traffic: true, quiet: false, help: true }],
  ])('reads %j', (args, expected) => {
    expect({ ...readDemoOptions(args) }).toEqual(expected);
  });

  it.each([
    [['--silent'], "Unknown option '--silent'; there are --quiet, --no-traffic and --help"],
    [['8080'], /^Unexpected argument '8080'.*; there are --quiet, --no-traffic and --help$/],
    [['--quiet=1'], /^Option '-q, --quiet' does not take an argument; /],
  ])('says in one line what is wrong with %j', (args, message) => {
    expect(() => readDemoOptions(args)).toThrow(message);
  });

  it('has a help that names all of them', () => {
    for (const option of ['--quiet', '--no-traffic', 'PORTS=free', 'REDIS_URL', 'HOST'])
      expect(DEMO_HELP).toContain(option);
  });
});
