import { expect, it } from '@jest/globals';
import { parseArguments } from '../arguments.ts';
import { devCommand } from './dev-command.ts';

it('takes nothing, and everything', () => {
  expect(devCommand([])).toEqual({
    name: 'dev',
    configFile: undefined,
    modules: [],
    fakes: [],
    fakesMissing: false,
    watched: [],
    proto: undefined,
  });
  const args = '-c a.yaml --modules b.ts --fake users --fake orders=o.yaml --fake-missing --watch data --proto schemas';
  expect(devCommand(args.split(' '))).toEqual({
    name: 'dev',
    configFile: 'a.yaml',
    modules: ['b.ts'],
    fakes: [{ name: 'users', file: undefined }, { name: 'orders', file: 'o.yaml' }],
    fakesMissing: true,
    watched: ['data'],
    proto: 'schemas',
  });
  expect(devCommand(['--help'])).toBeUndefined();
}); // prettier-ignore

it.each([
  [['--fake', 'users='], 'expected --fake NAME or --fake NAME=FILE'],
  [['--fake', 'users', '--fake', 'users=x'], 'dev: --fake users is said twice'],
  [['--fke', 'users'], 'unknown option --fke; did you mean --fake?'],
  [['gateway.yaml'], 'did you mean --config gateway.yaml?'],
])('refuses %j', (args, message) => {
  expect(() => devCommand(args)).toThrow(message);
});

it.each(['--fake', '--fake-missing'])(
  'is the only one with %s: no gateway that is started can have it',
  (option) => {
    expect(() => parseArguments(['start', option, 'users'])).toThrow(`unknown option ${option}`);
  },
);
