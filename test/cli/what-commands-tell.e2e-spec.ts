import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Reloads } from '../../src/snapshot/reloads.ts';
import { BIN, ensureBuilt } from '../support/child.ts';
import { runCommand } from '../support/command.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

const CONFIG = `version: 1
identity: { revocation: {}, issuers: [{ issuer: 'http://127.0.0.1:1', jwks: 'http://127.0.0.1:1/j', audiences: [a] }] }
upstreams: { it: { targets: ['http://127.0.0.1:1'] } }
routes: [{ id: a, match: { path: /a }, upstream: it, policies: { authentication: public } }]
`;
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-told-'));
const file = join(folder, 'gateway.yaml');
let gateway: TestGateway;
let stranger: Server;
let strangerUrl: string;

beforeAll(async () => {
  gateway = await startGateway({ config: CONFIG });
  stranger = createServer((_request, response) => void response.end('<p>hello'));
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  strangerUrl = `http://127.0.0.1:${(stranger.address() as AddressInfo).port}`;
});
afterAll(async () => {
  stranger.close();
  await gateway.stop();
  rmSync(folder, { recursive: true });
});

const ask = (...args: string[]) => runCommand([...args, '--admin', gateway.adminUrl]);

describe('an order whose arguments make no sense to the gateway', () => {
  it.each([
    ['record --out none --for 2h', 'record: --for: expected 100ms to 1h'],
    ['record --out none --rate 150%', 'record: --rate: expected at most 100%'],
    ['eject it 127.0.0.1:1 --for soon', 'eject: --for: expected a duration with a unit'],
    ['revoke --sub 7 --before soon', 'revoke: --before: expected a number, or a date and time'],
    ['revoke --jti 7 --expires 2020-01-01T00:00:00Z', 'revoke: --expires: has passed'],
    ['log-level debug --for 2d', 'log-level: --for: expected more than nothing'],
  ])('%s: ends with 2, and names the option', async (line, told) => {
    const { code, stdout, stderr } = await ask(...line.split(' '));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`gatehouse: ${told}`);
    expect(existsSync('none')).toBe(false);
  });
});

describe('a command whose --admin is somebody else', () => {
  const other = (url: string): string => `gatehouse: ${url} answered`;
  it.each([
    ['quota'],
    ['upstreams'],
    ['config', 'history'],
    ['record', '--out', join(folder, 'none')],
    ['support-bundle', '--out', join(folder, 'none')],
    ['explain', 'GET /a'],
  ])('%s: says so, and what to look at', async (...args) => {
    for (const url of [gateway.url, strangerUrl]) {
      // What a stranger sends would be taken for a sample that breaks off.
      if (url === strangerUrl && args[0] === 'record') continue;
      const { code, stderr } = await runCommand([...args, '--admin', url]);
      expect(stderr).toContain(other(url));
      expect(stderr).toContain('is it ADMIN_PORT, and not that of clients?');
      expect(code).toBe(1);
    }
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });
});

describe('a file that cannot be written', () => {
  it.each([
    ['support-bundle', '--out'],
    ['record', '--for', '100ms', '--out'],
  ])('of %s is named, with why', async (...args) => {
    const target = join(folder, 'none', 'file');
    const { code, stderr } = await ask(...args, target);
    expect([code, stderr]).toEqual([1, `gatehouse: ${target} cannot be written: there is no such folder\n`]);
  });
});

describe('gatehouse config', () => {
  it('ends with 1 when a dry run finds that the file would be refused, and says what speaks against it', async () => {
    writeFileSync(file, CONFIG);
    const own = await startGateway({ config: CONFIG });
    const reloads = own.gateway.app.get(Reloads);
    const at = (...args: string[]) => runCommand(['config', ...args, '--admin', own.adminUrl]);
    // The file of a test gateway is not there, which is as good as a faulty one.
    const dry = await at('reload', '--dry-run');
    expect([dry.code, dry.stderr]).toEqual([1, '']);
    expect(dry.stdout).toContain('would be faulty; configuration 1 is in force');
    const json = await at('reload', '--dry-run', '--json');
    expect([json.code, JSON.parse(json.stdout)]).toEqual([1, expect.objectContaining({ outcome: 'faulty' })]);
    reloads.history.add({ text: `${CONFIG}unknown: 1\n`, trigger: 'file', outcome: 'faulty' });
    const diff = await at('diff', '1', '2');
    expect(diff.code).toBe(0);
    expect(diff.stdout).toMatch(
      /^what changes in meaning cannot be said, one of them is faulty:\n.*:5 unknown /,
    );
    expect(diff.stdout).toContain('+unknown: 1');
    expect((await at('diff', '1', '1')).stdout).toBe('nothing changes in meaning\n');
    await own.stop();
  });
});

describe('a command without its words', () => {
  it('says which file is not there, and how one is named only where none was', async () => {
    const nowhere = join(folder, 'nowhere.yaml');
    const told = [`${nowhere}  no such file`, `1 fault in ${nowhere}`, ''].join('\n');
    for (const args of [
      ['validate', '--config', nowhere],
      ['diff', nowhere, nowhere],
      ['simulate', nowhere],
    ])
      expect((await runCommand(args)).stderr).toBe(told);
    const { stderr } = await runCommand(['validate'], { GATEHOUSE_CONFIG: nowhere });
    expect(stderr).toContain('no such file; name one with --config FILE or GATEHOUSE_CONFIG');
    expect((await runCommand(['config'])).stderr).toMatch(
      /expected one of history, diff, rollback, reload\n$/,
    );
  });

  it('doctor --json tells the faults of a file as what it has found', async () => {
    writeFileSync(file, 'version: 1\nupstreams: { a: { targetz: [x] } }\n');
    const { code, stdout, stderr } = await runCommand(['doctor', '--json', '--config', file]);
    expect([code, stderr]).toEqual([1, '']);
    expect(JSON.parse(stdout)).toContainEqual({
      check: 'configuration',
      level: 'fail',
      subject: `${file}:2:19`,
      what: 'upstreams.a.targetz: unknown key; did you mean "targets"?',
    });
  });
});

describe('a reader that leaves', () => {
  it('is no error: the command ends without a word', async () => {
    await ensureBuilt();
    const run = `"${process.execPath}" "${BIN}" openapi --config config/gateway.yaml | head -c 20`;
    const env = { ...process.env, GATEHOUSE_MODULES: join(BIN, '../../dist/routes/index.js') };
    const { stdout, stderr } = spawnSync('sh', ['-c', run], { env, encoding: 'utf8' });
    expect([stdout, stderr]).toEqual(['{\n  "openapi": "3.1.', '']);
  }, 60_000);
});
