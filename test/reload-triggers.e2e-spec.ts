import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBuilt, runBin, startChild, type ChildGateway } from './support/child.ts';
import { call } from './support/client.ts';
import { startUpstream, type TestUpstream } from './support/upstream.ts';

let folder: string;
let upstream: TestUpstream;
let gateway: ChildGateway | undefined;

beforeAll(async () => {
  upstream = await startUpstream();
  await ensureBuilt();
}, 60_000);
afterAll(() => upstream.stop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-reload-'));
});
afterEach(async () => {
  await gateway?.end();
  rmSync(folder, { recursive: true });
});

const path = (name: string): string => join(folder, name);

function config(ids: readonly string[], policies: object = { authentication: 'public' }): string {
  const routes = ids.map((id) => ({ id, match: { path: `/${id}` }, upstream: 'it', policies }));
  return JSON.stringify({ version: 1, upstreams: { it: { targets: [upstream.url] } }, routes });
}

async function start(env: Record<string, string> = {}): Promise<ChildGateway> {
  return (gateway = await startChild(path('gateway.yaml'), env));
}

const statusOf = async (route: string): Promise<number> => (await call(`${gateway?.url}/${route}`)).status;

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(20);
}

const said = (text: string): boolean => gateway?.lines().some(({ msg }) => msg.includes(text)) === true;

describe('a change of the file', () => {
  it('is taken over: written in place, renamed to, and not when it says the same', async () => {
    writeFileSync(path('gateway.yaml'), config(['one']));
    await start();
    writeFileSync(path('gateway.yaml'), config(['one', 'two']));
    await until(async () => (await statusOf('two')) === 200);
    writeFileSync(path('new'), config(['three']));
    renameSync(path('new'), path('gateway.yaml'));
    await until(async () => (await statusOf('three')) === 200);
    expect(await statusOf('one')).toBe(404);
    writeFileSync(path('gateway.yaml'), `${config(['three'])}\n# the same`);
    await until(() => said('says what it said before'));
  });

  it('is taken over when Kubernetes swaps its link, and a faulty one is told and left', async () => {
    for (const [version, text] of [
      ['1', config(['one'])],
      ['2', 'version: 1\nroutes: [{ id: a, match: { path: /a } }]\nunknown: 1'],
      ['3', config(['three'])],
    ] as const) {
      mkdirSync(path(`..${version}`));
      writeFileSync(path(`..${version}/gateway.yaml`), text);
    }
    const swap = (version: string): void => {
      symlinkSync(`..${version}`, path('..data_tmp'));
      renameSync(path('..data_tmp'), path('..data'));
    };
    swap('1');
    symlinkSync('..data/gateway.yaml', path('gateway.yaml'));
    await start();
    swap('2');
    await until(() => said('is faulty'));
    expect(await statusOf('one')).toBe(200);
    const { faults } = gateway?.lines().find(({ msg }) => msg.includes('is faulty')) as unknown as {
      faults: { line: number }[];
    };
    expect(faults.map(({ line }) => line)).toEqual(expect.arrayContaining([2, 3]));
    swap('3');
    await until(async () => (await statusOf('three')) === 200);
  });
});

describe('SIGHUP', () => {
  it('has the file read when nobody watches it', async () => {
    writeFileSync(path('gateway.yaml'), config(['one']));
    await start({ GATEHOUSE_WATCH: 'off' });
    writeFileSync(path('gateway.yaml'), config(['two']));
    await sleep(1500);
    expect(await statusOf('two')).toBe(404);
    gateway?.process.kill('SIGHUP');
    await until(async () => (await statusOf('two')) === 200);
    expect(said('another configuration is in force')).toBe(true);
  });
});

describe('gatehouse diff', () => {
  const diff = (...more: string[]) => runBin(['diff', path('old.yaml'), path('new.yaml'), ...more]);

  it('ends with 0 where nothing changes in meaning', async () => {
    writeFileSync(path('old.yaml'), config(['one', 'two']));
    writeFileSync(path('new.yaml'), `# Other words.\n${config(['two', 'one'])}`);
    expect(await diff()).toEqual({ code: 0, stdout: 'nothing changes in meaning\n', stderr: '' });
  });

  it('ends with 1 and says what changes', async () => {
    const old = JSON.parse(config(['one', 'two', '*'], { authentication: { schemes: ['apiKey'] } })) as {
      routes: { id: string; policies: object }[];
    };
    const identity = { apiKeys: [{ sha256: '0'.repeat(64), clientId: 'app' }] };
    const all = {
      id: 'all',
      match: { path: '/files/*' },
      upstream: 'it',
      policies: { authentication: 'public' },
    };
    const special = { ...all, id: 'special', match: { path: '/files/{name}' } };
    const base = { ...old, identity, routes: [...old.routes.slice(0, 2), all] };
    writeFileSync(path('old.yaml'), JSON.stringify(base));
    const routes = [{ ...old.routes[0], policies: { authentication: 'public' } }, all, special];
    const upstreams = { it: { targets: ['http://127.0.0.1:9'] } };
    const next = {
      ...base,
      upstreams,
      routes,
      floodLimit: { key: 'ip', rate: 5, per: '1s' },
      contracts: { enabled: true },
    };
    writeFileSync(path('new.yaml'), JSON.stringify(next));
    const { code, stdout } = await diff();
    expect(code).toBe(1);
    expect(stdout).toContain('! newly public     one  * /one');
    expect(stdout).toMatch(/^! shadowed {9}GET.* \/files\/\{name\}: "special" takes it, not "all"$/m);
    expect(stdout).toContain('! needs a restart  contracts.enabled');
    expect(stdout).toContain('- route            two  * /two');
    expect(stdout).toContain('+ route            special  * /files/{name}');
    expect(stdout).toMatch(
      /^~ route {12}one {2}policies\.authentication: \{"schemes":\["apiKey"\]\} → "public"$/m,
    );
    expect(stdout).toMatch(/^~ upstream {9}it {2}targets: /m);
    expect(stdout).toMatch(/^~ setting {10}floodLimit: "off" → /m);
    const json = await diff('--json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({
      public: [{ id: 'one' }, { id: 'special' }],
      removed: [{ id: 'two' }],
      needsRestart: ['contracts.enabled'],
    });
  });

  it('ends with 2 for a faulty file, with its faults, and for arguments that make no sense', async () => {
    writeFileSync(path('old.yaml'), config(['one']));
    writeFileSync(path('new.yaml'), 'version: 2');
    const faulty = await diff();
    expect(faulty).toMatchObject({ code: 2, stdout: '' });
    expect(faulty.stderr).toContain('new.yaml:1:10');
    expect(await runBin(['diff', path('old.yaml')])).toMatchObject({ code: 2 });
  });
});
