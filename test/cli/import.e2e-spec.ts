import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { translate } from '../../src/cli/import/import.ts';
import { main } from '../../src/cli/main.ts';
import { ConfigError, formatFaults } from '../../src/config/config-fault.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { createTestKey, KeyServer, signToken, type TestKey } from '../support/key-server.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const SOURCES = globSync('test/cli/imports/*/source.*').sort();
/** What the reports ask for. */
const SECRETS = {
  KONG_JWT_SHOP_APP_SECRET: 'a-secret-that-is-long-enough-for-an-hmac',
  KONG_AUTHORIZATION: 'Basic YTpi',
  KONG_KEY_SHOP_APP_SHA256_2: '0'.repeat(64),
};

function imported(file: string, text = readFileSync(file, 'utf8')) {
  const format = basename(dirname(file)).startsWith('kong') ? 'kong' : 'openapi';
  const { text: config, notes } = translate(format, text, file);
  return { config, report: `${formatFaults(notes, { noun: 'note' })}\n` };
}

/** What a command says, on both streams, and how it exits. */
async function run(...args: string[]): Promise<{ out: string; err: string; code: unknown }> {
  const said = { out: '', err: '' };
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((said.out += String(text)), true));
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => ((said.err += String(text)), true));
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    await main(args);
    return { ...said, code: process.exitCode };
  } finally {
    process.exitCode = before;
    jest.restoreAllMocks();
  }
}

describe('import', () => {
  beforeAll(() => void Object.assign(process.env, SECRETS));
  afterAll(() => {
    for (const name of Object.keys(SECRETS)) delete process.env[name];
  });

  it.each(SOURCES)('%s becomes what stands beside it', async (file) => {
    const { config, report } = imported(file);
    const beside = (name: string) => join(dirname(file), name);
    expect(config).toBe(readFileSync(beside('gateway.yaml'), 'utf8'));
    expect(report).toBe(readFileSync(beside('report.txt'), 'utf8'));
    expect(await run('validate', '--config', beside('gateway.yaml'))).toEqual({
      out: expect.stringMatching(/: valid, \d+ routes? in the file, \d+ in code\n$/),
      err: '',
      code: 0,
    });
  });

  it.each(SOURCES)('%s keeps its secrets to itself', (file) => {
    const { config, report } = imported(file);
    expect(config + report).not.toMatch(/not-to-be-told|key-of-the/);
    // What looks like a reference to a variable was one that the import has made.
    for (const [, name] of config.matchAll(/(?<!\$)\$\{(\w+)/g)) expect(name).toMatch(/^(KONG|JWT|API)_/);
  });

  it('keeps the configuration apart from the report, and writes over nothing', async () => {
    const source = SOURCES.find((file) => file.includes('kong-limited')) as string;
    const beside = (name: string) => readFileSync(join(dirname(source), name), 'utf8');
    const target = join(mkdtempSync(join(tmpdir(), 'gatehouse-import-')), 'gateway.yaml');
    const [out, err] = [beside('gateway.yaml'), beside('report.txt')];
    try {
      expect(await run('import', 'kong', source)).toEqual({ out, err, code: undefined });
      const written = await run('import', 'kong', source, '--output', target);
      expect(written).toMatchObject({ out: '', err: expect.stringContaining(err), code: undefined });
      expect(readFileSync(target, 'utf8')).toBe(out);
      const again = await run('import', 'openapi', source, '--output', target);
      expect(again).toMatchObject({ out: '', code: 1 });
      expect(await run('import', 'kong', source, '-o', target)).toMatchObject({
        err: expect.stringContaining('it is there already'),
        code: 1,
      });
    } finally {
      rmSync(dirname(target), { recursive: true });
    }
  });

  it.each([
    [['import'], 'expected kong or openapi, and a file'],
    [['import', 'nginx', 'x'], 'expected kong or openapi'],
    [['import', 'kong'], 'expected a file'],
    [['import', 'kong', 'a', 'b'], 'unexpected argument "b"'],
    [['import', 'kong', 'a', '--outptu', 'b'], 'did you mean --output?'],
  ])('exits with 2 for %j', async (args, message) => {
    expect(await run(...args)).toEqual({ out: '', err: expect.stringContaining(message), code: 2 });
  });

  it('says which file there is not', async () => {
    const { err, code } = await run('import', 'kong', 'no/such.yaml');
    expect([err, code]).toEqual([expect.stringContaining('no/such.yaml  no such file'), 1]);
  });

  it('leaves a text that looks like a variable a text', () => {
    const { config } = imported(
      'kong/source.yaml',
      `_format_version: '3.0'
services:
  - name: a
    url: http://a
    routes: [{ name: a, plugins: [{ name: response-transformer, config: { append: { headers: ['x-a:\${HOME}'] } } }] }]`,
    );
    expect(config).toContain('$${{HOME}}');
  });

  it.each([
    ['kong', "_format_version: '4.0'", '_format_version  expected `_format_version` 1.1, 2.1 or 3.0'],
    ['kong', "_format_version: '3.0'\nservices: { a: 1 }", '2:1  services  expected a list'],
    [
      'kong',
      "_format_version: '3.0'\nservices:\n  - { name: a, url: 'nowhere', routes: [{ name: a }] }",
      '3:16  services[0].url  expected a URL',
    ],
    [
      'kong',
      "_format_version: '3.0'\nplugins:\n  - { name: acl, config: { allow: secret-group } }\nservices: [{ name: a, url: 'http://a', routes: [{ name: a, plugins: [{ name: jwt }] }] }]",
      '3:28  plugins[0].config.allow  expected array',
    ],
    [
      'kong',
      "_format_version: '3.0'\nplugins: [{ name: jwt, service: b }]\nservices: [{ name: a, url: 'http://a', routes: [{ name: a }] }]",
      '2:11  plugins[0]  there is no service b',
    ],
    [
      'kong',
      "_format_version: '3.0'\nroutes: [{ name: a, service: b }]",
      '2:21  routes[0].service  there is no such service',
    ],
    [
      'kong',
      `_format_version: '3.0'\nconsumers: [{ username: a, jwt_secrets: [{ key: a, secret: '\${{ env "DECK_A" }}' }] }]`,
      '2:52  consumers[0].jwt_secrets[0].secret  expected a value, found a reference of decK',
    ],
    ['openapi', 'swagger: "2.0"', 'openapi  expected `openapi` 3.0 or 3.1'],
    ['openapi', 'openapi: 3.0.0\npaths: { users: {} }', '2:10  paths.users  expected a path'],
    [
      'openapi',
      'openapi: 3.0.0\nservers: [{ url: "https://{v}.test" }]\npaths: { /a: { get: {} } }',
      '2:1  servers  expected a default for each variable',
    ],
    ['openapi', 'openapi: [', 'not YAML'],
  ] as const)('refuses %s: %j', (format, text, message) => {
    const act = () => translate(format, text, 'x.yaml');
    expect(act).toThrow(ConfigError);
    expect(act).toThrow(message);
    expect(act).not.toThrow('secret-group');
  });
});

describe('a limit, tokens and CORS of Kong', () => {
  const FILE = 'test/cli/imports/kong-limited-users/source.yaml';
  const issuers = new KeyServer();
  let key: TestKey;
  let users: TestUpstream;
  let gateway: TestGateway;
  let token: string;

  beforeAll(async () => {
    key = await createTestKey();
    await issuers.start();
    issuers.keys = [key.publicJwk];
    users = await startUpstream();
    const text = readFileSync(FILE, 'utf8').replace('http://user-service:8001', users.url);
    const { config } = imported(FILE, text);
    gateway = await startGateway({
      config,
      environment: { JWT_ISSUER: issuers.url, JWT_JWKS: `${issuers.url}/jwks`, JWT_AUDIENCE: 'api' },
    });
    token = await signToken(key, issuers.url);
  });

  afterAll(async () => {
    await gateway?.stop();
    await Promise.all([issuers.stop(), users?.stop()]);
  });

  const ask = (headers: Record<string, string> = {}, method = 'GET') =>
    fetch(`${gateway.url}/api/v1/users/7?x=1`, { method, headers });

  it('refuses who has no token, and one of another key', async () => {
    const stranger = await signToken(await createTestKey(), issuers.url);
    const answers = [await ask(), await ask({ authorization: `Bearer ${stranger}` })];
    expect(answers.map(({ status }) => status)).toEqual([401, 401]);
    expect(users.requests).toEqual([]);
  });

  it('answers a preflight before anybody is asked for a token', async () => {
    const preflight = { origin: 'https://page.example', 'access-control-request-method': 'GET' };
    const { status, headers } = await ask(preflight, 'OPTIONS');
    expect([status, headers.get('access-control-allow-origin')]).toEqual([204, '*']);
    expect(users.requests).toEqual([]);
  });

  it('forwards without the prefix, grants the page, and counts', async () => {
    const answer = await ask({ authorization: `Bearer ${token}`, origin: 'https://page.example' });
    expect(await answer.json()).toMatchObject({ url: '/7?x=1' });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect(answer.headers.get('x-ratelimit-limit')).toBe('100');
  });

  it('refuses the 101st request of a caller, and no other caller', async () => {
    const authorization = `Bearer ${await signToken(key, issuers.url, { claims: { sub: 'bob' } })}`;
    const statuses: number[] = [];
    // More than a hundred, for a window may end meanwhile.
    for (let count = 0; count < 210 && statuses.at(-1) !== 429; count += 1)
      statuses.push((await ask({ authorization })).status);
    expect(statuses.length).toBeGreaterThan(100);
    expect([new Set(statuses.slice(0, -1)), statuses.at(-1)]).toEqual([new Set([200]), 429]);
    expect((await ask({ authorization: `Bearer ${token}` })).status).toBe(200);
  });
});
