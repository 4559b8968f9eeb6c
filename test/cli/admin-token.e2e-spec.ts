import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificate } from '../support/certificates.ts';
import { ensureBuilt, runBin, startChild, type ChildGateway } from '../support/child.ts';
import { runCommand } from '../support/command.ts';

// Processes that are started again and again.
jest.setTimeout(60_000);

let folder: string;
let file: string;
let gateway: ChildGateway;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-admin-token-'));
  file = join(folder, 'operators.yaml');
  const config = join(folder, 'gateway.yaml');
  writeFileSync(config, 'version: 1\naudit: { file: audit.jsonl }\nroutes: []\n');
  await ensureBuilt();
  for (const role of ['read', 'operate']) {
    const made = await runCommand(['admin-token', '--name', role, '--role', role, '--expires', '90d', '--add', file]); // prettier-ignore
    expect([made.code, made.stderr]).toEqual([0, '']);
    tokens[role] = made.stdout.trim();
  }
  gateway = await startChild(config, { ADMIN_TOKENS_FILE: file });
}, 60_000);

afterAll(async () => {
  await gateway?.end('SIGKILL');
  rmSync(folder, { recursive: true });
});

describe('gatehouse admin-token', () => {
  it('adds lines with digests to a file of its owner, and shows a token of 256 bits once', () => {
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/^tokens:\n(?: {2}- \{ name: \w+, role: \w+, sha256: [0-9a-f]{64}, expires: [\d\-T:.Z]+ \}\n){2}$/); // prettier-ignore
    expect(statSync(file).mode & 0o777).toBe(0o600);
    for (const token of Object.values(tokens)) {
      expect(token).toMatch(/^gh_admin_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}$/);
      expect(text).not.toContain(token);
    }
  });

  it('prints the line where it is told no file, and writes the token where it is', async () => {
    const out = join(folder, 'own.token');
    const { code, stdout } = await runCommand([
      'admin-token',
      '--name',
      'a',
      '--role',
      'admin',
      '--out',
      out,
    ]);
    expect([code, statSync(out).mode & 0o777]).toEqual([0, 0o600]);
    expect(stdout).toMatch(/ADMIN_TOKENS_FILE:\ntokens:\n {2}- \{ name: a, role: admin, sha256: [0-9a-f]{64} \}\n$/); // prettier-ignore
    expect(stdout).not.toContain(readFileSync(out, 'utf8').trim());
  });

  it.each([
    [['--name', 'a'], /expected --role, one of read, operate, admin/],
    [['--name', 'a', '--role', 'operator'], /did you mean "operate"/],
    [['--role', 'read'], /expected --name/],
    [['--name', 'a', '--role', 'read', '--expires', '2001-01-01'], /expected --expires/],
  ])('takes no %j', async (args, message) => {
    const { code, stderr } = await runCommand(['admin-token', ...args]);
    expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});

describe('a command that talks over TLS', () => {
  it('trusts who signs the listener’s certificate where it is told, and says so where it is not', async () => {
    const authority = certificate({ name: 'ours', isAuthority: true });
    const server = certificate({ name: 'gateway', hosts: ['127.0.0.1'], by: authority });
    const at = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const [cert, key, ca] = [at('c.pem', server.cert), at('k.pem', server.key), at('ca.pem', authority.cert)];
    const secure = await startChild(join(folder, 'gateway.yaml'), { ADMIN_TOKENS_FILE: file, ADMIN_CERT_FILE: cert, ADMIN_KEY_FILE: key }); // prettier-ignore
    const args = ['log-level', '--admin', secure.adminUrl, '--token', tokens['read'] ?? ''];
    // A process keeps whom it trusts.
    expect(await runBin([...args, '--ca-file', ca])).toEqual({ code: 0, stdout: 'info\n', stderr: '' });
    expect((await runBin(args, { ADMIN_CA_FILE: ca })).code).toBe(0);
    expect(await runBin(args)).toMatchObject({ code: 1, stderr: expect.stringMatching(/not trusted .*--ca-file/) }); // prettier-ignore
    expect(await runBin([...args, '--ca-file', key])).toMatchObject({ code: 2, stderr: expect.stringContaining('in PEM') }); // prettier-ignore
    await secure.end('SIGKILL');
  });
});

describe('a command that talks to a gateway', () => {
  it('says what is needed where nobody is let in without a token', async () => {
    const { code, stderr } = await runCommand(['log-level', '--admin', gateway.adminUrl]);
    expect([code, stderr]).toEqual([1, expect.stringMatching(/--token-file, ADMIN_TOKEN_FILE or ADMIN_TOKEN/)]); // prettier-ignore
  });

  it('shows a token of an option, of a file, and of the environment', async () => {
    const tokenFile = join(folder, 'read.token');
    writeFileSync(tokenFile, `${tokens['read']}\n`);
    const args = ['log-level', '--admin', gateway.adminUrl];
    const { read = '' } = tokens;
    for (const [more, env] of [
      [['--token', read], {}],
      [['--token-file', tokenFile], { ADMIN_TOKEN: 'another' }],
      [[], { ADMIN_TOKEN: read }],
      [[], { ADMIN_TOKEN_FILE: tokenFile }],
    ] as const)
      expect(await runCommand([...args, ...more], env)).toEqual({ code: 0, stdout: 'info\n', stderr: '' });
    const explained = await runCommand(['explain', 'GET /', '--admin', gateway.adminUrl, '--token', read]);
    expect(explained.code).toBe(0);
  });

  it('says which role is missing, and the audit says who has tried and who has done it', async () => {
    const args = ['log-level', 'debug', '--admin', gateway.adminUrl];
    const refused = await runCommand(args, { ADMIN_TOKEN: tokens['read'] ?? '' });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('setLogLevel needs operate') });
    expect((await runCommand(args, { ADMIN_TOKEN: tokens['operate'] ?? '' })).code).toBe(0);
    await gateway.end();
    const events = readFileSync(join(folder, 'audit.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { action: string; outcome: string; actor: object; reason?: string });
    const orders = events.filter(({ action }) => action === 'PUT /log-level');
    expect(orders.map(({ outcome, actor }) => [outcome, actor])).toEqual([
      ['refused', { type: 'cli', id: 'read', scheme: 'token' }],
      ['done', { type: 'cli', id: 'operate', scheme: 'token' }],
    ]);
    expect(events.find(({ reason }) => reason === 'no-credentials')).toBeDefined();
    for (const token of Object.values(tokens)) expect(JSON.stringify(events)).not.toContain(token);
  });
});
