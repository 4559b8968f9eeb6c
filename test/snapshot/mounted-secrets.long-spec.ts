import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { createHmac } from 'node:crypto';
import {
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt, runBin, startChild, type ChildGateway } from '../support/child.ts';
import { call } from '../support/client.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

// A process of its own, and looks a second apart.
jest.setTimeout(60_000);

const ISSUER = 'https://id.example.com/';
const OLD = 'old-secret-of-32-characters-or-more';
const NEW = 'new-secret-of-32-characters-or-more';

let folder: string;
let upstream: TestUpstream;
let gateway: ChildGateway | undefined;

beforeAll(async () => {
  upstream = await startUpstream();
  await ensureBuilt();
}, 60_000);
afterAll(() => upstream.stop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-mounted-'));
});
afterEach(async () => {
  await gateway?.end();
  rmSync(folder, { recursive: true });
});

/** A folder as the kubelet keeps one for a ConfigMap or a Secret. */
class Mounted {
  readonly folder: string;
  #version = 0;

  constructor(name: string, files: Readonly<Record<string, string>>) {
    this.folder = join(folder, name);
    mkdirSync(this.folder);
    this.update(files);
    for (const file of Object.keys(files)) symlinkSync(join('..data', file), this.file(file));
  }

  file(name: string): string {
    return join(this.folder, name);
  }

  /** Writes a version beside the one before, swaps the link that all names lead through, and takes the old one away. */
  update(files: Readonly<Record<string, string>>): void {
    const [before, data] = [
      this.#version === 0 ? undefined : readlinkSync(this.file('..data')),
      this.file('..data'),
    ];
    const version = `..2026_11_28_10_00_0${(this.#version += 1)}.1`;
    mkdirSync(this.file(version));
    for (const [name, text] of Object.entries(files)) writeFileSync(this.file(join(version, name)), text);
    symlinkSync(version, this.file('..data_tmp'));
    renameSync(this.file('..data_tmp'), data);
    if (before !== undefined) rmSync(this.file(before), { recursive: true });
  }
}

function config(secretFile: string, ...ids: readonly string[]): string {
  const policies = { authentication: { schemes: ['jwt'] } };
  const routes = ids.map((id) => ({ id, match: { path: `/${id}` }, upstream: 'it', policies }));
  const issuers = [{ issuer: ISSUER, secretFile, audiences: ['api'] }];
  return JSON.stringify({
    version: 1,
    identity: { issuers },
    upstreams: { it: { targets: [upstream.url] } },
    routes,
  });
}

function token(secret: string): string {
  const claims = { iss: ISSUER, aud: 'api', sub: 'anna', exp: Math.floor(Date.now() / 1000) + 600 };
  const text = [{ alg: 'HS256', typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

async function statusOf(route: string, secret: string): Promise<number> {
  const headers = { authorization: `Bearer ${token(secret)}` };
  return (await call(`${gateway?.url}/${route}`, { headers })).status;
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}

describe('folders that the kubelet keeps', () => {
  it('a Secret that is swapped is another secret, with the configuration as it was', async () => {
    const secrets = new Mounted('secrets', { shared: `${OLD}\n` });
    const configMap = new Mounted('config', { 'gateway.yaml': config(secrets.file('shared'), 'one') });
    gateway = await startChild(configMap.file('gateway.yaml'));
    expect([await statusOf('one', OLD), await statusOf('one', NEW)]).toEqual([200, 401]);
    secrets.update({ shared: `${NEW}\n` });
    await until(async () => (await statusOf('one', NEW)) === 200);
    expect(await statusOf('one', OLD)).toBe(401);
    const lines = gateway.lines;
    await until(() => lines().some(({ msg }) => msg.includes('another configuration is in force')));
    for (const line of lines()) expect(JSON.stringify(line)).not.toMatch(/(?:old|new)-secret-of/);
  });

  it('a ConfigMap that is swapped is another configuration, with the secret as it was', async () => {
    const secrets = new Mounted('secrets', { shared: OLD });
    const configMap = new Mounted('config', { 'gateway.yaml': config(secrets.file('shared'), 'one') });
    gateway = await startChild(configMap.file('gateway.yaml'));
    configMap.update({ 'gateway.yaml': config(secrets.file('shared'), 'one', 'two') });
    await until(async () => (await statusOf('two', OLD)) === 200);
    expect(await statusOf('one', OLD)).toBe(200);
  });

  it('a secret that is empty is a fault that names its key, and the one before stays', async () => {
    const secrets = new Mounted('secrets', { shared: OLD });
    const configMap = new Mounted('config', { 'gateway.yaml': config(secrets.file('shared'), 'one') });
    gateway = await startChild(configMap.file('gateway.yaml'));
    secrets.update({ shared: '\n' });
    const faulty = () => gateway?.lines().find(({ msg }) => msg.includes('is faulty'));
    await until(() => faulty() !== undefined);
    expect(JSON.stringify(faulty()?.['faults'])).toMatch(/issuers.*secretFile.*which is empty/);
    expect(await statusOf('one', OLD)).toBe(200);
    secrets.update({ shared: NEW });
    await until(async () => (await statusOf('one', NEW)) === 200);
  });
});

describe('validate', () => {
  it('tells of secrets in files that are not there, each with its place', async () => {
    const file = join(folder, 'gateway.yaml');
    writeFileSync(file, config('/nowhere/shared', 'one'));
    const { code, stderr, stdout } = await runBin(['validate', '--config', file]);
    expect(code).toBe(1);
    expect(`${stdout}${stderr}`).toMatch(/issuers\[0\]\.secretFile|issuers\.0\.secretFile/);
    expect(`${stdout}${stderr}`).toContain('cannot read /nowhere/shared (ENOENT)');
  });

  it('and doctor knows them', async () => {
    const file = join(folder, 'gateway.yaml');
    writeFileSync(join(folder, 'shared'), 'x'.repeat(70_000));
    writeFileSync(file, config(join(folder, 'shared'), 'one'));
    const { stdout, stderr } = await runBin(['doctor', '--config', file]);
    expect(`${stdout}${stderr}`).toContain('which no secret has');
  });
});
