import { describe, expect, it } from '@jest/globals';
import { environmentSchema } from '../config/env.schema.ts';
import { HELP, parseArguments, UsageError } from './arguments.ts';
import { helpOf } from './help-topic.ts';

const parse = (line: string) => parseArguments(line.split(' ').filter((word) => word !== ''));

describe('parseArguments', () => {
  it('reads whether faults are told as data', () => {
    expect(parse('validate --json')).toEqual({ name: 'validate', configFile: undefined, json: true });
    expect(parse('validate')).toEqual({ name: 'validate', configFile: undefined, json: false });
  });

  it.each(['start', 'validate'] as const)('reads %s, with and without a file', (name) => {
    expect(parse(name)).toMatchObject({ name, configFile: undefined });
    expect(parse(`${name} --config a.yaml`)).toMatchObject({ name, configFile: 'a.yaml' });
    expect(parse(`${name} --config=a.yaml`)).toMatchObject({ name, configFile: 'a.yaml' });
    expect(parse(`${name} -c a.yaml`)).toMatchObject({ name, configFile: 'a.yaml' });
  });

  it('reads how routes are to be shown', () => {
    const few = { name: 'routes', configFile: undefined, wide: false, json: false, team: undefined };
    expect(parse('routes')).toEqual(few);
    expect(parse('routes -c a.yaml --wide')).toEqual({ ...few, configFile: 'a.yaml', wide: true });
    expect(parse('routes --json')).toEqual({ ...few, json: true });
  });

  it('reads keys create with options that repeat', () => {
    expect(parse('keys create --client app --role a --role b --permission orders:write --tier pro')).toEqual({
      name: 'keys create',
      clientId: 'app',
      roles: ['a', 'b'],
      permissions: ['orders:write'],
      tier: 'pro',
    });
    expect(parse('keys create --client app')).toEqual({
      name: 'keys create',
      clientId: 'app',
      roles: [],
      permissions: [],
      tier: undefined,
    });
  });

  it('reads openapi and client', () => {
    expect(parse('openapi')).toEqual({ name: 'openapi', configFile: undefined, outFile: undefined });
    expect(parse('openapi -c a.yaml -o api.json')).toEqual({
      name: 'openapi',
      configFile: 'a.yaml',
      outFile: 'api.json',
    });
    expect(parse('client --ts --out client.ts --config a.yaml')).toEqual({
      name: 'client',
      configFile: 'a.yaml',
      outFile: 'client.ts',
      from: undefined,
    });
    expect(parse('client --ts -o c.ts --from http://a/openapi.json -H a:b')).toMatchObject({
      from: { place: 'http://a/openapi.json', headers: [['a', 'b']] },
    });
    expect(parse('contracts --out dir')).toEqual({ name: 'contracts', configFile: undefined, folder: 'dir' });
    expect(parse('contracts check --against v1 --accepted a.md')).toEqual({
      name: 'contracts check',
      configFile: undefined,
      folder: 'contracts',
      against: 'v1',
      acceptedFile: 'a.md',
      json: false,
    });
  });

  it('reads revoke with what is to be revoked', () => {
    const common = { name: 'revoke', admin: undefined, json: false, undo: false };
    expect(parse('revoke --jti a --expires 1795772685')).toEqual({
      ...common,
      order: { jti: 'a', expiresAt: 1795772685 },
    });
    expect(
      parse(
        'revoke --sub a --issuer https://i --before 2026-11-27T10:00:00Z --reason lost --json --admin http://h:1',
      ),
    ).toEqual({
      name: 'revoke',
      order: { sub: 'a', issuer: 'https://i', issuedBefore: '2026-11-27T10:00:00Z', reason: 'lost' },
      admin: 'http://h:1',
      json: true,
      undo: false,
    });
    expect(parse('revoke --sid 7')).toEqual({ ...common, order: { sid: '7' } });
    expect(parse('revoke --undo --sid 7 --reason mistaken')).toEqual({
      ...common,
      order: { sid: '7', reason: 'mistaken' },
      undo: true,
    });
  });

  it.each([
    ['canary shop', 'did you mean "list shop"?'],
    ['canary puase shop', 'did you mean "pause"?'],
    ['canary pause', 'canary pause: expected the id of a route'],
    ['revoke', 'expected one of --jti ID'],
    ['revoke --jti a --sid b', 'and only one'],
    ['revoke --jti', '--jti: expected a value'],
    ['revoke --undo --sub a --before 1795772685', 'leave out --before and --expires'],
    ['revoke a', 'unexpected argument'],
    ['revoke --jit a', 'did you mean --jti?'],
    ['revoke --jti a --admin h:1', 'to be an origin'],
  ])('refuses `%s`', (line, words) => {
    expect(() => parse(line)).toThrow(words);
  });

  it('reads explain with what it is told of the request', () => {
    const line =
      'explain GET /users/7 -H a:1 --header b:2 --as p.json --body b.txt --from ::1 --json --config a.yaml';
    expect(parse(line)).toEqual({
      name: 'explain',
      request: 'GET /users/7',
      headers: ['a:1', 'b:2'],
      asFile: 'p.json',
      bodyFile: 'b.txt',
      from: '::1',
      adminUrl: undefined,
      json: true,
      configFile: 'a.yaml',
    });
    expect(parse('explain GET / --admin http://127.0.0.1:9901')).toMatchObject({
      adminUrl: 'http://127.0.0.1:9901',
    });
    expect(parse('explain -h')).toEqual({ name: 'help', text: helpOf('explain') });
  });

  it.each(['--help', '-h', 'help', 'strat --help', 'help strat'])('helps on %j', (line) => {
    expect(parse(line)).toEqual({ name: 'help', text: HELP });
  });

  it.each(['start --help', 'keys create --help', 'help quota', 'eject -h', 'diff --help'])(
    'helps on one command on %j',
    (line) => {
      const word = line.replace('help ', '').split(' ')[0];
      expect(parse(line)).toEqual({ name: 'help', text: helpOf(word) });
    },
  );

  it.each(['--version', '-v', 'start --version'])('tells the version on %j', (line) => {
    expect(parse(line)).toEqual({ name: 'version' });
  });

  it.each([
    [
      '',
      'expected a command first: start, validate, routes, openapi, client, keys create, keys list, keys show, keys update, keys rotate, keys revoke, upstreams, eject, restore, weight, breaker, access, admin-token, bench, canary, config, contracts, dev, diff, doctor, explain, generate, import, init, log-level, proto, quota, record, replay, revoke, simulate, support-bundle, tiers (see gatehouse --help)',
    ],
    ['strat', 'unknown command "strat"; did you mean "start"?'],
    ['keys creat --client a', 'unknown command "keys creat"; did you mean "keys create"?'],
    ['key create', 'unknown command "key"; did you mean "keys create"?'],
    [
      'launder',
      'unknown command "launder"; expected one of start, validate, routes, openapi, client, keys create',
    ],
    ['start --confg a.yaml', 'unknown option --confg; did you mean --config?'],
    ['start -x', 'unknown option -x; see gatehouse --help'],
    ['start --constructor', 'unknown option --constructor; see gatehouse --help'],
    ['start --client a', 'unknown option --client; see gatehouse --help'],
    ['client --out a.ts', 'client: expected --ts, the language of the client'],
    ['client --ts', 'client: expected --out FILE'],
    ['client --ts -o a.ts --from a.json -c b.yaml', 'client: expected --from or --config, not both'],
    ['client --ts -o a.ts --from a.json -H a:b', 'client: --header is for --from http://…, not for a file'],
    ['client --ts -o a.ts -H a:b', 'client: --header is for --from http://…'],
    ['client --ts -o a.ts --from http://a -H secret', '--header: expected `Name: value`'],
    ['contracts', 'contracts: expected --out DIR, or check'],
    ['contracts chek', 'contracts: expected --out DIR or check, not "chek"'],
    ['contracts check --out a', 'unknown option --out'],
    ['client --ts=yes --out a.ts', '--ts takes no value'],
    ['openapi --ts', 'unknown option --ts; see gatehouse --help'],
    ['start a.yaml', 'unexpected argument "a.yaml"; did you mean --config a.yaml?'],
    ['start -- a.yml', 'unexpected argument "a.yml"; did you mean --config a.yml?'],
    ['start a.txt', 'unexpected argument "a.txt"'],
    ['keys create a.yaml', 'unexpected argument "a.yaml"'],
    ['start --config', '--config: expected a value'],
    ['start --config=', '--config: expected a value'],
    ['start --config --help', '--config: expected a value'],
    ['start --help=yes', '--help takes no value'],
    ['keys create', 'keys create: expected --client ID'],
    [
      'keys create --client a --role b,c',
      '"b,c": expected a name of printable ASCII without spaces and commas',
    ],
  ])('refuses %j in one line with exit code 2', (line, message) => {
    const failure = catchError(() => parse(line));
    expect(failure).toBeInstanceOf(UsageError);
    expect(failure).toMatchObject({ exitCode: 2, message: expect.stringContaining(message) });
    expect((failure as UsageError).message).not.toContain('\n');
  });

  it('refuses a name that could break out of a header field', () => {
    expect(() => parseArguments(['keys', 'create', '--client', 'a\r\nx-user-id: 1'])).toThrow(UsageError);
  });

  it('documents every command and option', () => {
    for (const word of [
      'start',
      'validate',
      'routes',
      'openapi',
      'client --ts',
      '--out',
      'keys create',
      '--client',
      '--role',
      '--permission',
      '--tier',
    ]) {
      expect(HELP).toContain(word);
    }
  });
});

function catchError(attempt: () => unknown): unknown {
  try {
    return attempt();
  } catch (error) {
    return error;
  }
}

describe('the help', () => {
  it('names every variable of the environment', () => {
    const listed = HELP.slice(HELP.indexOf('Environment:')).match(/[A-Z]{2}[A-Z_]+/g) ?? [];
    expect(listed.toSorted()).toEqual(Object.keys(environmentSchema.shape).toSorted());
  });
});
