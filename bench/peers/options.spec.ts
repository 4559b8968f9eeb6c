import { describe, expect, it } from '@jest/globals';
import { PEERS_CASES } from './cases.ts';
import { parsePeersOptions } from './options.ts';

const namesOf = (...args: string[]): readonly (readonly [string, string])[] =>
  parsePeersOptions(args)?.cases.flatMap(({ name, against }) =>
    against.map(({ server }) => [name, server] as const),
  ) ?? [];

describe('the command line', () => {
  it('measures everybody in all cases', () => {
    const { cases, rounds, seconds, install } = parsePeersOptions([]) ?? {};
    expect({ cases, rounds, seconds, install }).toEqual({
      cases: PEERS_CASES,
      rounds: 6,
      seconds: 3,
      install: true,
    });
  });

  it('takes the cases and the servers that are named, in the order of the table', () => {
    expect(namesOf('--only', 'full', '--only', 'plain', '--against', 'envoy')).toEqual([
      ['plain', 'envoy'],
      ['full', 'envoy'],
    ]);
  });

  it('leaves out a case that is against nobody who is wanted', () => {
    expect(namesOf('--against', 'hive').map(([name]) => name)).toEqual(['homepage', 'authors']);
  });

  it('can be quick, and install nothing', () => {
    expect(parsePeersOptions(['--quick', '--no-install'])).toMatchObject({
      rounds: 3,
      seconds: 1,
      install: false,
    });
    expect(parsePeersOptions(['--quick', '--rounds', '8', '--seconds', '2'])).toMatchObject({
      rounds: 8,
      seconds: 2,
    });
  });

  it.each([
    [['--only', 'none'], '--only: there is no case none'],
    [['--against', 'none'], '--against: there is no server none'],
    [['--rounds', '0'], '--rounds: expected a whole number from 1, given 0'],
    [['--load', 'ab'], '--load: expected wrk or autocannon, given ab'],
  ])('refuses %p', (args, message) => {
    expect(() => parsePeersOptions(args)).toThrow(message);
  });
});

describe('the cases', () => {
  it('have the peer with the hardest target right beside the gateway', () => {
    for (const { against } of PEERS_CASES.filter(({ against }) => against.some(({ target }) => target))) {
      expect(against.at(-1)?.target).toBeDefined();
    }
  });

  it('send 20 fields as a browser does, with the Host that the load tool adds', () => {
    const browser = PEERS_CASES.find(({ name }) => name === 'browser');
    expect(Object.keys(browser?.request.headers ?? {})).toHaveLength(19);
  });
});
