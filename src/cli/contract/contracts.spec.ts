import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArguments } from '../arguments.ts';
import { Incomparable } from '../incomparable.ts';
import { runCheckContracts } from './check-contracts.ts';
import { runWriteContracts } from './contract-files.ts';
import type { CheckContractsCommand } from './contracts-command.ts';
import { gatewayDocument, readDocument } from './document-source.ts';

const route = (id: string): object => ({
  id,
  match: { methods: ['GET'], path: `/${id}` },
  respond: { status: 204 },
  policies: { authentication: 'public' },
});

let folder: string;
const here = process.cwd();
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'gatehouse-contracts-')));
  process.chdir(folder);
});
afterEach(() => {
  process.chdir(here);
  rmSync(folder, { recursive: true, force: true });
});

function configure(...ids: string[]): void {
  writeFileSync('gateway.yaml', JSON.stringify({ version: 1, floodLimit: 'off', routes: ids.map(route) }));
}

function git(...args: string[]): void {
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'commit.gpgsign=false'];
  execFileSync('git', [...identity, ...args], { stdio: 'pipe' });
}

function heard(): { text: string; write(text: string): void } {
  const out = { text: '', write: (text: string) => void (out.text += text) };
  return out;
}

async function write(to = 'contracts'): Promise<string> {
  const out = heard();
  await runWriteContracts({ name: 'contracts', configFile: 'gateway.yaml', folder: to }, [], out);
  return out.text;
}

async function check(...args: string[]): Promise<{ readonly text: string; readonly isWell: boolean }> {
  const command = parseArguments([
    'contracts',
    'check',
    '-c',
    'gateway.yaml',
    ...args,
  ]) as CheckContractsCommand;
  const out = heard();
  const isWell = await runCheckContracts(command, [], out);
  return { text: out.text, isWell };
}

describe('gatehouse contracts', () => {
  it('writes what a release offers, the same for the same gateway', async () => {
    configure('a', 'b');
    mkdirSync('contracts');
    writeFileSync('contracts/schema.graphql', 'type Query { old: Int }');
    expect(await write()).toBe('contracts/openapi.json: written\ncontracts/problems.json: written\n');
    // A gateway without GraphQL promises none.
    expect(readdirSync('contracts').sort()).toEqual(['openapi.json', 'problems.json']);
    const text = readFileSync('contracts/openapi.json', 'utf8');
    expect(Object.keys((JSON.parse(text) as { paths: object }).paths)).toEqual([
      '/a',
      '/b',
      '/health/live',
      '/health/ready',
    ]);
    const problems = JSON.parse(readFileSync('contracts/problems.json', 'utf8')) as object[];
    expect(problems).toContainEqual(
      expect.objectContaining({ code: 'rate-limited', status: 429, retryable: true }),
    );
    expect(JSON.stringify(problems)).not.toContain('client-closed');
    configure('b', 'a');
    await write();
    expect(readFileSync('contracts/openapi.json', 'utf8')).toBe(text);
  });

  it('says where it cannot write', async () => {
    configure('a');
    writeFileSync('file', '');
    await expect(write('file/in')).rejects.toThrow('file/in cannot be written: there is no such folder');
  });
});

describe('gatehouse contracts check', () => {
  beforeEach(async () => {
    configure('a', 'b');
    await write();
    git('init', '-qb', 'main');
    git('add', '-A');
    git('commit', '-qm', 'first');
    git('tag', 'v1.0.0');
  });

  it('passes what breaks nobody', async () => {
    expect(await check('--against', 'HEAD')).toEqual({
      text: expect.stringMatching(
        /^contracts: compared with HEAD \([0-9a-f]{12}\)\nnothing has changed that clients rely on\n$/,
      ),
      isWell: true,
    });
    configure('a', 'b', 'c');
    expect((await check('--against', 'v1.0.0')).isWell).toBe(true);
  });

  it('shows what breaks in a table, and the entry that would accept it', async () => {
    configure('a');
    const { text, isWell } = await check('--against', 'v1.0.0');
    expect(isWell).toBe(false);
    expect(
      text
        .split('\n')
        .slice(1, 3)
        .map((line) => line.split(/ {2,}/)),
    ).toEqual([
      ['CLIENTS', 'CONTRACT', 'KIND', 'PLACE', 'CHANGE'],
      ['BREAKS', 'openapi', 'OPERATION_REMOVED', 'GET /b', 'is no longer there'],
    ]);
    expect(text).toContain(
      '\n  - OPERATION_REMOVED: GET /b: is no longer there Because: <why, and what clients do>\n',
    );
    const told = JSON.parse((await check('--against', 'v1.0.0', '--json')).text) as { changes: object[] };
    expect(told.changes).toMatchObject([{ kind: 'OPERATION_REMOVED', breaks: true, accepted: false }]);
  });

  it('passes a break that is accepted in the same change, and not by an earlier one', async () => {
    configure('a');
    writeFileSync(
      'breaks.md',
      '- OPERATION_REMOVED: GET /b: is no longer there Because: nobody asks for it.\n',
    );
    expect(await check('--against', 'v1.0.0', '--accepted', 'breaks.md')).toMatchObject({
      isWell: true,
      text: expect.stringMatching(/^accepted +openapi/m),
    });
    git('add', 'breaks.md');
    git('commit', '-qm', 'accepted');
    expect((await check('--against', 'HEAD', '--accepted', 'breaks.md')).isWell).toBe(false);
    await expect(check('--accepted', 'none.md')).rejects.toThrow('there is no file none.md');
  });

  it('compares with the last release when nobody says with what, and with a folder', async () => {
    configure('a');
    await write();
    git('commit', '-qam', 'second');
    expect((await check()).text).toContain('compared with the release v1.0.0');
    configure('a', 'b');
    await write('../released-of-spec');
    configure('a');
    expect((await check('--against', '../released-of-spec')).text).toMatch(
      /compared with \.\.\/released-of-spec\n/,
    );
    rmSync('../released-of-spec', { recursive: true });
  });

  it('fails when there is nothing to compare with, rather than pass', async () => {
    for (const [args, message] of [
      [['--against', 'v9'], 'git knows no "v9"'],
      [['--against', 'v1.0.0', '--dir', 'other'], 'has no contracts in other; write them with'],
    ] as const) {
      const failure = await check(...args).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Incomparable);
      expect((failure as Error).message).toContain(message);
    }
    rmSync('.git', { recursive: true });
    await expect(check()).rejects.toThrow('is no git checkout; --against takes a folder, too');
  });

  it('finds breaks of GraphQL and of problems that were kept', async () => {
    writeFileSync('contracts/schema.graphql', 'type Query { a: Int }');
    writeFileSync('contracts/problems.json', '[{"code":"no-more","status":400}]');
    const { text } = await check('--against', 'contracts');
    expect(text).toMatch(/^BREAKS +graphql +SCHEMA_REMOVED +there is no GraphQL any more$/m);
    expect(text).toMatch(/^BREAKS +problems +CODE_REMOVED +no-more +is no longer a code$/m);
  });
});

describe('the document that a client is made of', () => {
  const DOCUMENT = {
    openapi: '3.1.1',
    info: { title: 'x', version: '1' },
    paths: {},
    components: { schemas: {}, responses: {}, headers: {}, securitySchemes: {} },
  };

  it.each<[string, unknown, string]>([
    ['another version', { ...DOCUMENT, openapi: '3.0.3' }, 'expected `openapi: 3.1.x`'],
    ['no paths', { ...DOCUMENT, paths: [] }, 'expected `paths`'],
    ['no schemas', { ...DOCUMENT, components: {} }, 'expected `components.schemas`'],
    [
      'an operation without an id',
      { ...DOCUMENT, paths: { '/a': { get: { responses: {} } } } },
      'expected GET /a with operationId',
    ],
    [
      'a reference elsewhere',
      { ...DOCUMENT, x: { $ref: 'file:///etc/passwd' } },
      'it refers to "file:///etc/passwd", outside of itself',
    ],
    ['nothing', null, 'expected `openapi: 3.1.x`'],
  ])('is refused: %s', (_what, value, message) => {
    expect(() => gatewayDocument(JSON.stringify(value), 'x.json')).toThrow(
      `x.json is no OpenAPI document of a gateway: ${message}`,
    );
  });

  it('comes from a file or from where it is served, with credentials that go nowhere else', async () => {
    writeFileSync('api.json', JSON.stringify(DOCUMENT));
    expect(await readDocument('api.json', [])).toEqual(DOCUMENT);
    await expect(readDocument('none.json', [])).rejects.toThrow(
      'none.json cannot be read: there is no such file',
    );
    const server = createServer((request, response) => {
      if (request.url === '/moved') return void response.writeHead(302, { location: '/api' }).end();
      if (request.headers.authorization !== 'Bearer x') return void response.writeHead(401).end();
      response.end(JSON.stringify(DOCUMENT));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await readDocument(`${url}/api`, [['authorization', 'Bearer x']])).toEqual(DOCUMENT);
    await expect(readDocument(`${url}/api`, [])).rejects.toThrow(`${url}/api answers 401; -H`);
    await expect(readDocument(`${url}/moved`, [['authorization', 'Bearer x']])).rejects.toThrow(
      'cannot be read',
    );
    await new Promise((resolve) => server.close(resolve));
    await expect(readDocument(`${url}/api`, [])).rejects.toThrow(`${url}/api cannot be read: `);
  });
});
