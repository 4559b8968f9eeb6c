import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt, runBin, startChild } from './support/child.ts';
import { call, speak } from './support/client.ts';
import { startUpstream, type TestUpstream } from './support/upstream.ts';

const CONFIG = 'config/gateway.yaml';
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-cli-'));
  await ensureBuilt();
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

function fileOf(text: string): string {
  const file = join(folder, `${Math.random().toString(36).slice(2)}.yaml`);
  writeFileSync(file, text);
  return file;
}

describe('gatehouse validate', () => {
  it('says that the configuration of the sample is valid', async () => {
    const { code, stdout, stderr } = await runBin(['validate', '--config', CONFIG]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^config\/gateway\.yaml: valid, \d+ routes\n$/);
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
    const { code, stdout, stderr } = await runBin(['validate', '--config', file]);
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
    const { code, stderr } = await runBin(['validate', '--config', file], { SECRET: 'x'.repeat(32) });
    expect(code).toBe(1);
    expect(stderr).toMatch(/:5:.*"user".*users/s);
    expect(stderr).toMatch(/:6:.*authentication/s);
  });

  it.each(['validate --config /nowhere.yaml', 'validat', 'validate --confg x', ''])(
    'answers nonsense in a line or two, without a stack: %p',
    async (args) => {
      const { code, stderr } = await runBin(args === '' ? [] : args.split(' '));
      expect([1, 2]).toContain(code);
      expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
      expect(stderr).not.toMatch(/^ +at /m);
    },
  );
});

describe('gatehouse routes', () => {
  it('prints the table of both doors', async () => {
    const { code, stdout } = await runBin(['routes', '--config', CONFIG]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ID +DOOR +METHODS/);
    expect(stdout).toMatch(/^orders\.list +handler +GET/m);
    expect(stdout).toMatch(/^users +proxy +GET,POST/m);
  });
});

describe('gatehouse start', () => {
  it('says in one line that a port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const PORT = String((taken.address() as AddressInfo).port);
    for (const env of [
      { PORT, ADMIN_PORT: '0' },
      { PORT: '0', ADMIN_PORT: PORT },
    ]) {
      const { code, stderr } = await runBin(['start', '--config', CONFIG], { HOST: '127.0.0.1', ...env });
      expect(code).toBe(1);
      expect(stderr).toMatch(new RegExp(`^gatehouse: .*${PORT}.*\n$`));
    }
    taken.close();
  });

  it('lists bad variables of the environment', async () => {
    const { code, stderr } = await runBin(['start', '--config', CONFIG], {
      PORT: '99999',
      LOG_LEVEL: 'inof',
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/PORT[\s\S]*LOG_LEVEL[\s\S]*info/);
  });

  it('does not start on a configuration with faults', async () => {
    const { code, stdout, stderr } = await runBin(['start', '--config', fileOf('version: 2\n')]);
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

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'ends with 0 on %s, after the exchange that is under way',
    async (signal) => {
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
      const ended = gateway.end(signal);
      while ((await speak(gateway.url, 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n')) !== '');
      finish.resolve();
      expect((await answer).text).toBe('first last');
      expect(await ended).toBe(0);
      expect(gateway.lines().filter((line) => line['route'] === 'echo')).toHaveLength(1);
    },
  );

  it('ends at once on a second signal', async () => {
    const gateway = await startChild(config(), { SECRET: 'x'.repeat(32), DRAIN_DELAY: '1m' });
    const ended = gateway.end();
    for (let draining = false; !draining;)
      draining = (await call(`${gateway.url}/health/ready`)).status === 503;
    gateway.process.kill('SIGTERM');
    expect(await ended).toBe(1);
  });
});
