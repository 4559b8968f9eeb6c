import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { main } from './main.ts';

const VALID = `
version: 1
identity: { issuers: [{ issuer: 'http://127.0.0.1:1', jwks: 'http://127.0.0.1:1/jwks', audiences: [api] }] }
defaults: { policies: { authentication: { schemes: [jwt] } } }
upstreams: { users: { targets: ['http://127.0.0.1:1'] } }
routes:
  - id: users
    match: { methods: [GET], path: '/users/{id}', headers: { x-beta: '1' } }
    upstream: users
    policies: { authorization: { anyRole: [admin] }, rateLimit: { key: ip, rate: 5, per: 1s }, deadline: 2s }
  - { id: open, match: { path: /open/* }, upstream: users, policies: { authentication: public } }
`;

describe('main', () => {
  let folder: string;
  let file: string;

  // Each run of `main` is a process of its own in life, with one logger that wants to hear of its end.
  const most = process.getMaxListeners();
  beforeAll(() => void process.setMaxListeners(0));
  afterAll(() => void process.setMaxListeners(most));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-cli-'));
    file = join(folder, 'gateway.yaml');
  });

  afterEach(() => {
    jest.restoreAllMocks();
    rmSync(folder, { recursive: true, force: true });
  });

  interface Outcome {
    readonly out: string;
    readonly err: string;
    readonly code: number | string | null | undefined;
  }

  async function run(...args: string[]): Promise<Outcome> {
    let [out, err] = ['', ''];
    jest.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
    jest.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true));
    const before = process.exitCode;
    process.exitCode = undefined;
    try {
      await main(args);
      return { out, err, code: process.exitCode };
    } finally {
      process.exitCode = before;
      jest.restoreAllMocks();
    }
  }

  async function runWith(config: string, ...command: readonly string[]): Promise<Outcome> {
    writeFileSync(file, config);
    return run(...command, '--config', file);
  }

  it.each([['--help'], ['-h'], ['help'], ['validate', '--help']])(
    'prints its help for %s',
    async (...args) => {
      const { out, err, code } = await run(...args);
      expect(out).toContain('gatehouse validate [--json] [--config FILE]');
      expect([err, code]).toEqual(['', undefined]);
    },
  );

  it('prints its version', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(await run('--version')).toEqual({ out: `${version}\n`, err: '', code: undefined });
  });

  it('warns of a path that falls through to an open route, and says that the file is valid', async () => {
    const open = VALID.replace('/open/*', '/*');
    const { out, err, code } = await runWith(open, 'validate');
    expect([out, code]).toEqual([expect.stringContaining('valid, '), 0]);
    expect(err).toContain(
      `${file}:8:14  routes[users].match.methods  POST, PUT, PATCH, DELETE, OPTIONS, every other`,
    );
    expect(err).toContain(`1 warning in ${file}`);
    expect(await runWith(VALID, 'validate')).toMatchObject({ err: '', code: 0 });
  });

  it.each([
    [['valdate'], 'gatehouse: unknown command "valdate"; did you mean "validate"?'],
    [['validate', '--confg', 'x'], 'did you mean --config?'],
    [[], 'expected a command first'],
    [['keys', 'create'], 'expected --client ID'],
  ])('exits with 2 and one line for %j', async (args, message) => {
    const { out, err, code } = await run(...args);
    expect([out, code]).toEqual(['', 2]);
    expect(err).toContain(message);
    expect(err.trim()).not.toContain('\n');
  });

  describe('validate', () => {
    it('says that a configuration is valid, and counts routes as they were written', async () => {
      const { out, err, code } = await runWith(VALID, 'validate');
      expect([err, code]).toEqual(['', 0]);
      expect(out).toMatch(/: valid, 2 routes in the file, \d+ in code\n$/);
    });

    it('counts a route of several versions as one', async () => {
      const versions = '{ by: path, of: { v1: { upstream: users }, v2: { upstream: users } } }';
      const config = `${VALID.slice(0, VALID.indexOf('routes:'))}routes:
  - { id: many, match: { path: '/{version}/*' }, versions: ${versions}, policies: { authentication: public } }
`;
      expect((await runWith(config, 'validate')).out).toMatch(/: valid, 1 route in the file, \d+ in code\n$/);
    });

    it('lists every fault with its place and exits with 1', async () => {
      const config = VALID.replace('methods: [GET]', 'methods: [FETCH]').replace(
        'deadline: 2s',
        'deadlin: 2s',
      );
      const { out, err, code } = await runWith(config, 'validate');
      expect([out, code]).toEqual(['', 1]);
      expect(err).toContain(`${file}:8:`);
      expect(err).toContain('routes[users].match.methods[0]');
      expect(err).toContain(`${file}:10:`);
      expect(err).toContain('did you mean "deadline"?');
      expect(err.trimEnd().split('\n').at(-1)).toContain('2 faults');
    });

    it('finds what only shows when the routes are compiled', async () => {
      const config = VALID.replace('/open/* }, upstream: users', '/open/* }, upstream: user');
      const { err, code } = await runWith(config, 'validate');
      expect(code).toBe(1);
      expect(err).toContain(`${file}:11:`);
      expect(err).toContain('there is no upstream "user"; did you mean "users"?');
    });

    it('says which file is missing', async () => {
      const { err, code } = await run('validate', '--config', join(folder, 'none.yaml'));
      expect(code).toBe(1);
      expect(err).toContain('none.yaml');
      expect(err).toContain('none.yaml  no such file\n');
    });
  });

  describe('routes', () => {
    it('prints what fits a terminal', async () => {
      const { out } = await runWith(VALID, 'routes');
      const lines = out.split('\n');
      expect(lines[0]?.split(/ +/)).toEqual(['ID', 'METHODS', 'PATH', 'UPSTREAM', 'AUTHENTICATION']);
      expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(100);
    });

    it('prints all of it as JSON', async () => {
      const { out } = await runWith(VALID, 'routes', '--json');
      const users = { id: 'users', door: 'proxy', methods: 'GET', limits: 'ip 5/1s burst 5' };
      expect(JSON.parse(out)).toContainEqual(expect.objectContaining(users));
    });

    it('prints the compiled table', async () => {
      const { out, err, code } = await runWith(VALID, 'routes', '--wide');
      expect([err, code]).toEqual(['', undefined]);
      const lines = out.split('\n');
      expect(lines[0]).toMatch(/^ID +DOOR +METHODS +HOST +PATH/);
      const users = lines.find((line) => line.startsWith('users ')) ?? '';
      expect(users.split(/ {2,}/)).toEqual([
        'users',
        'proxy',
        'GET',
        '*',
        '/users/{id} [x-beta: 1]',
        'users',
        'jwt',
        'anyRole(admin)',
        'ip 5/1s burst 5',
        expect.stringMatching(/^identify → authorize → limit → size → deadline/),
        `${file}:7:5`,
      ]);
      expect(out).toMatch(/^open +proxy +\* +\* +\/open\/\* +users +public/m);
    });
  });

  describe('openapi', () => {
    it('prints the document of all routes', async () => {
      const { out, err, code } = await runWith(VALID, 'openapi');
      expect([err, code]).toEqual(['', undefined]);
      const document = JSON.parse(out) as { openapi: string; paths: object };
      expect(document.openapi).toBe('3.1.1');
      expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(['/users/{id}', '/open/{rest}']));
    });

    it('writes it to a file', async () => {
      writeFileSync(file, VALID);
      const target = join(folder, 'openapi.json');
      const { out, code } = await run('openapi', '--config', file, '--out', target);
      expect([out, code]).toEqual([
        expect.stringMatching(/openapi\.json: written, \d+ operations\n$/),
        undefined,
      ]);
      expect(JSON.parse(readFileSync(target, 'utf8'))).toHaveProperty('openapi');
    });
  });

  describe('client', () => {
    it('writes a client, also where the document is not served', async () => {
      writeFileSync(file, `${VALID}\ncontracts: { enabled: false }\n`);
      const target = join(folder, 'client.ts');
      const { out, err, code } = await run('client', '--ts', '--config', file, '--out', target);
      expect([err, code]).toEqual(['', undefined]);
      expect(out).toBe(`${target}: written, 8 operations\n`);
      expect(readFileSync(target, 'utf8')).toContain('export function createClient(');
    });

    it('says which file cannot be written', async () => {
      writeFileSync(file, VALID);
      const { err, code } = await run(
        'client',
        '--ts',
        '--config',
        file,
        '--out',
        join(folder, 'no', 'client.ts'),
      );
      expect(code).toBe(1);
      expect(err).toContain('no/client.ts');
    });
  });

  describe('start', () => {
    it('says which port is taken and how to choose another', async () => {
      const taken = createServer().listen(0, '127.0.0.1');
      await once(taken, 'listening');
      const { port } = taken.address() as AddressInfo;
      const variables = { PORT: String(port), HOST: '127.0.0.1', ADMIN_PORT: '0', LOG_LEVEL: 'silent' };
      const before = { ...process.env };
      Object.assign(process.env, variables);
      try {
        const { err, code } = await runWith(VALID, 'start');
        expect(code).toBe(1);
        expect(err).toBe(
          `gatehouse: port ${port} on 127.0.0.1 is taken; set PORT or ADMIN_PORT to another one\n`,
        );
      } finally {
        for (const name of Object.keys(variables)) delete process.env[name];
        Object.assign(process.env, before);
        taken.close();
      }
    });
  });

  it('explains a request on the configuration file alone', async () => {
    writeFileSync(file, VALID);
    const as = join(folder, 'as.json');
    writeFileSync(as, '{"id":"ann","roles":["admin"]}');
    const args = ['explain', 'GET /users/7', '-H', 'x-beta: 1', '--as', as, '--config', file];
    const { out, err, code } = await run(...args);
    expect([err, code]).toEqual(['', undefined]);
    expect(out).toMatch(
      /✓ users {2}GET \/users\/\{id\}[^]*\{id\} = 7[^]*anyRole\(admin\) {2}\(route\)[^]*GET \/users\/7 HTTP\/1\.1/,
    );
    const { out: json } = await run(...args, '--json');
    expect(JSON.parse(json)).toMatchObject({
      match: { route: { id: 'users' } },
      requests: [{ sent: { to: '127.0.0.1:1' } }],
    });
  });

  it.each([
    [['GET'], 2, /a method and a target/],
    [['GET /', '-H', 'nonsense'], 2, /`Name: value`/],
    [['GET /', '--as', '/nowhere.json'], 2, /--as: there is no file \/nowhere\.json/],
    [['GET /', '--admin', 'nowhere'], 2, /--admin: expected/],
    [['GET /', '--admin', 'http://127.0.0.1:1'], 1, /nobody answers at http:\/\/127\.0\.0\.1:1/],
  ])('says what is wrong with explain %j', async (args, code, message) => {
    writeFileSync(file, VALID);
    const more = args.includes('--admin') ? [] : ['--config', file];
    const outcome = await run('explain', ...args, ...more);
    expect([outcome.out, outcome.code, outcome.err.includes('    at ')]).toEqual(['', code, false]);
    expect(outcome.err).toMatch(message);
  });
});
