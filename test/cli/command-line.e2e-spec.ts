import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, runBin, startChild } from '../support/child.ts';
import { call, speak } from '../support/client.ts';
import { runCommand } from '../support/command.ts';
import { useOperators } from '../support/operators.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const CONFIG = 'config/gateway.yaml';
/** Who may come to listeners that are not on loopback. */
const operators = useOperators();
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-cli-'));
  await ensureBuilt();
}, 60_000);
afterAll(() => {
  rmSync(folder, { recursive: true });
  operators.remove();
});

function fileOf(text: string): string {
  const file = join(folder, `${Math.random().toString(36).slice(2)}.yaml`);
  writeFileSync(file, text);
  return file;
}

/** The least that starts: nothing of the sample has to be loaded and put together. */
const small = (): string => fileOf('version: 1\ndefaults: { policies: { authentication: public } }\n');

describe('gatehouse validate', () => {
  it('says that the configuration of the sample is valid', async () => {
    const { code, stdout, stderr } = await runBin(['validate', '--config', CONFIG]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^config\/gateway\.yaml: valid, \d+ routes in the file, \d+ in code\n$/);
  });

  it('lists every fault at once, each with its place and the nearest name', async () => {
    const file = fileOf(`version: 1
defaults: { policies: { authentication: public } }
upstreams:
  users: { targets: ['http://127.0.0.1:1'], balancin: roundRobin }
routes:
  - { id: one, match: { path: /one }, upstream: users, policies: { ratelimit: { rate: 1 } } }
  - { id: two, match: { path: two }, upstream: users, policies: { deadline: 5 seconds } }
`);
    const { code, stdout, stderr } = await runCommand(['validate', '--config', file]);
    expect([code, stdout]).toEqual([1, '']);
    for (const part of [
      `${file}:4:`,
      'balancing',
      `${file}:6:`,
      'rateLimit',
      `${file}:7:`,
      'two',
      'deadline',
    ]) {
      expect(stderr).toContain(part);
    }
    expect(stderr).not.toContain('    at ');
  });

  it('lists the faults that show only when routes are compiled', async () => {
    const file = fileOf(`version: 1
identity: { issuers: [{ issuer: x, secretEnv: SECRET, audiences: [api] }] }
upstreams: { users: { targets: ['http://127.0.0.1:1'] } }
routes:
  - { id: one, match: { path: /one }, upstream: user, policies: { authentication: public } }
  - { id: two, match: { path: /two }, upstream: users }
`);
    const { code, stderr } = await runCommand(['validate', '--config', file], { SECRET: 'x'.repeat(32) });
    expect(code).toBe(1);
    expect(stderr).toMatch(/:5:.*"user".*users/s);
    expect(stderr).toMatch(/:6:.*authentication/s);
  });

  it('places a secret that the environment does not have', async () => {
    const file = fileOf(`version: 1
identity:
  issuers:
    - issuer: x
      audiences: [api]
      secretEnv: SECRET
`);
    const { code, stderr } = await runCommand(['validate', '--config', file], { SECRET: '' });
    expect(code).toBe(1);
    expect(stderr).toBe(
      `${file}:6:7  identity.issuers[0].secretEnv  set the environment variable SECRET\n` +
        `1 fault in ${file}\n`,
    );
  });

  it.each(['validate --config /nowhere.yaml', 'validat', 'validate --confg x', ''])(
    'answers nonsense in a line or two, without a stack: %p',
    async (args) => {
      const { code, stderr } = await runCommand(args === '' ? [] : args.split(' '));
      expect([1, 2]).toContain(code);
      expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
      expect(stderr).not.toMatch(/^ +at /m);
    },
  );
});

describe('a command', () => {
  /** Tells on standard error which packages a process has loaded, and how many files of ours. */
  const TELLING = `data:text/javascript,${encodeURIComponent(`
    import { registerHooks } from 'node:module';
    const packages = new Set();
    let own = 0;
    registerHooks({ load(url, context, next) {
      const name = /.*node_modules\\/((?:@[^/]+\\/)?[^/.][^/]*)/.exec(url)?.[1];
      if (name !== undefined) packages.add(name);
      else if (url.includes('/dist/')) own += 1;
      return next(url, context);
    } });
    process.on('exit', () => console.error('loaded ' + JSON.stringify({ packages: [...packages], own })));`)}`;

  const loadedBy = async (
    ...args: string[]
  ): Promise<{ readonly packages: string[]; readonly own: number }> => {
    const { stderr } = await runBin(args, { NODE_OPTIONS: `--import=${TELLING}` });
    return JSON.parse(/^loaded (.*)$/m.exec(stderr)?.[1] ?? '') as { packages: string[]; own: number };
  };

  it.each([['--version'], ['--help'], ['start --help'], ['validat']])(
    'loads nothing of a gateway that it does not need: %s',
    async (args) => {
      const { packages, own } = await loadedBy(...args.split(' '));
      expect([packages, own < 60]).toEqual([[], true]);
    },
  );

  it('loads no GraphQL, Redis, Kubernetes or compiler for a configuration without', async () => {
    const { packages } = await loadedBy('validate', '--config', small());
    expect(packages).toContain('@nestjs/core');
    const dear = [
      'graphql',
      '@nestjs/graphql',
      'graphql-jit',
      'ioredis',
      '@kubernetes/client-node',
      'openapi-typescript',
    ];
    expect(packages.filter((name) => dear.includes(name))).toEqual([]);
  });
});

describe('what cannot be used', () => {
  const file = (name: string, content: string | Buffer): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  const PORTS = { PORT: '0', ADMIN_PORT: '0' };

  it.each<[string, () => readonly string[], number, RegExp, Record<string, string>?]>([
    ['an empty file', () => ['validate', '-c', file('empty.yaml', '')], 1, /empty\.yaml:1:1 .*found nothing/],
    [
      'a file that is no text',
      () => ['start', '-c', file('binary.yaml', Buffer.from([0xff, 0xfe, 0, 1]))],
      1,
      /UTF-8/,
    ],
    ['a folder as a file', () => ['start', '-c', folder], 1, /found a directory/],
    ['a file as a folder', () => ['validate', '-c', join(file('a.yaml', ''), 'x')], 1, /no such file/],
    ['a file that is not there', () => ['routes', '-c', join(folder, 'none.yaml')], 1, /no such file/],
    ['a flag that is unknown', () => ['start', '--verbose'], 2, /unknown option --verbose/],
    ['a flag without its value', () => ['start', '--config'], 2, /--config: expected a value/],
    [
      'an output in no folder',
      () => ['openapi', '-c', small(), '-o', join(folder, 'no/x.json')],
      1,
      /x\.json cannot be written: there is no such folder/,
    ],
    [
      'a folder as an output',
      () => ['openapi', '-c', small(), '-o', folder],
      1,
      /cannot be written: it is a folder/,
    ],
    [
      'a host that is not there',
      () => ['start', '-c', small()],
      1,
      /no address no\.such\.invalid/,
      { ...PORTS, HOST: 'no.such.invalid' },
    ],
    [
      'an address of another machine',
      () => ['start', '-c', small()],
      1,
      /no address 192\.0\.2\.1 .*ADMIN_HOST/,
      { ...PORTS, HOST: '127.0.0.1', ADMIN_HOST: '192.0.2.1', ADMIN_TOKENS_FILE: operators.file },
    ],
    [
      'operators beyond loopback of whom nobody is asked who it is',
      () => ['start', '-c', small()],
      1,
      /environment {2}ADMIN_HOST {2}expected ADMIN_TOKENS_FILE/,
      { ...PORTS, ADMIN_HOST: '0.0.0.0' },
    ],
    [
      'the same, found by validate',
      () => ['validate', '-c', small()],
      1,
      /environment {2}ADMIN_HOST {2}expected ADMIN_TOKENS_FILE/,
      { ADMIN_HOST: '0.0.0.0' },
    ],
    [
      'a Redis that is none',
      () => ['start', '-c', small()],
      1,
      /REDIS_URL .*expected redis:/,
      { REDIS_URL: 'http://user:s3cret@x' },
    ],
    [
      'a Redis that is away',
      () => ['keys', 'create', '--client', 'a'],
      1,
      /was not stored: Redis at 127\.0\.0\.1:1: /,
      { REDIS_URL: 'redis://user:s3cret@127.0.0.1:1' },
    ],
  ])('is said in a line, without a stack: %s', async (_what, args, exitCode, message, env = {}) => {
    // What gets as far as a gateway does so in a process of its own.
    const run = env['HOST'] === undefined ? runCommand : runBin;
    const { code, stdout, stderr } = await run(args(), { LOG_LEVEL: 'fatal', ...env });
    expect([code, stdout]).toEqual([exitCode, '']);
    // Faults of a file are counted in a second line.
    expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^ +at |s3cret/m);
  });
});

describe('gatehouse routes', () => {
  it('prints the table of both doors', async () => {
    const { code, stdout } = await runBin(['routes', '--wide', '--config', CONFIG]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ID +DOOR +METHODS/);
    expect(stdout).toMatch(/^orders\.list +handler +GET/m);
    expect(stdout).toMatch(/^users +proxy +GET,POST/m);
  });
});

describe('gatehouse start', () => {
  it('says in one line that a port is taken, and ends although Redis was already being looked for', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const PORT = String((taken.address() as AddressInfo).port);
    for (const env of [
      { PORT, ADMIN_PORT: '0', REDIS_URL: 'redis://127.0.0.1:1', LOG_LEVEL: 'fatal' },
      { PORT: '0', ADMIN_PORT: PORT },
    ]) {
      const { code, stderr } = await runBin(['start', '--config', small()], { HOST: '127.0.0.1', ...env });
      expect(code).toBe(1);
      expect(stderr).toMatch(new RegExp(`^gatehouse: .*${PORT}.*\n$`));
    }
    taken.close();
  });

  it('starts without a Redis that cannot be reached, and says so', async () => {
    const env = { SECRET: 'x'.repeat(32), REDIS_URL: 'redis://user:s3cret@127.0.0.1:1' };
    const gateway = await startChild(small(), env);
    expect((await call(`${gateway.url}/health/ready`)).status).toBe(200);
    const lines = gateway.lines().filter((line) => line.msg.includes('Redis'));
    expect(lines[0]).toMatchObject({ level: 40, redis: '127.0.0.1:1', reason: 'ECONNREFUSED' });
    expect(JSON.stringify(lines)).not.toContain('s3cret');
    expect(await gateway.end()).toBe(0);
  });

  it('lists bad variables of the environment', async () => {
    const { code, stderr } = await runCommand(['start', '--config', CONFIG], {
      PORT: '99999',
      LOG_LEVEL: 'inof',
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/PORT[\s\S]*LOG_LEVEL[\s\S]*info/);
  });

  it('does not start on a configuration with faults', async () => {
    const { code, stdout, stderr } = await runCommand(['start', '--config', fileOf('version: 2\n')]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain('version');
  });

  it('tells an old runtime what it needs', () => {
    const old = spawnSync('/usr/bin/node', ['bin/gatehouse.js', 'start'], { encoding: 'utf8' });
    if (
      old.error !== undefined ||
      !/^v(1\d|2[0-3])\./.test(spawnSync('/usr/bin/node', ['-v'], { encoding: 'utf8' }).stdout)
    )
      return;
    expect(old.status).toBe(1);
    expect(old.stderr).toMatch(/^gatehouse: needs Node 24\.15 or newer.*\n$/);
  });
});

describe('a running process', () => {
  let upstream: TestUpstream;

  beforeAll(async () => {
    upstream = await startUpstream();
  });
  afterAll(() => upstream.stop());

  const config = () =>
    fileOf(
      `version: 1
identity: { issuers: [{ issuer: x, secretEnv: SECRET, audiences: [api] }] }
upstreams:
  echo: { targets: ['${upstream.url}'] }
  users: { targets: ['${upstream.url}'] }
  feed: { targets: ['${upstream.url}'] }
  orders: { protocol: grpc, targets: ['grpc://127.0.0.1:1'] }
  notifications: { protocol: grpc, targets: ['grpc://127.0.0.1:1'] }
routes: [{ id: echo, match: { path: /* }, upstream: echo, policies: { authentication: public } }]
`.replace('path: /*', "path: '/*'"),
    );

  it('ends with 0 on SIGTERM, after the exchange that is under way', async () => {
    const gateway = await startChild(config(), { SECRET: 'x'.repeat(32) });
    const arrived = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    upstream.listener = (_request, response) => {
      response.writeHead(200).write('first ');
      arrived.resolve();
      void finish.promise.then(() => response.end('last'));
    };
    const answer = call(`${gateway.url}/x`);
    await arrived.promise;
    const ended = gateway.end();
    while ((await speak(gateway.url, 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n')) !== '');
    finish.resolve();
    expect((await answer).text).toBe('first last');
    expect(await ended).toBe(0);
    expect(gateway.lines().filter((line) => line['route'] === 'echo')).toHaveLength(1);
  });
});
