import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RecordedExchange } from '../../src/record/sample-format.ts';
import type { Replayed } from '../../src/replay/replay.ts';
import { ensureBuilt, runBin } from '../support/child.ts';
import { runCommand } from '../support/command.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { signWithSecret } from '../support/key-server.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const SECRET = 'a-shared-secret-that-is-long-enough-for-it';
let folder: string;
let upstream: TestUpstream;
let gateway: TestGateway;

const config = (routes: string, more = ''): string => `version: 1
identity: { issuers: [{ issuer: 'https://id.test/', secretEnv: SIGNING, audiences: [api] }] }
defaults: { policies: { authentication: public } }
upstreams:
  it: { targets: ['${upstream.url}'] }
  other: { targets: ['${upstream.url}'] }
${more}routes:
${routes}`;

const ROUTES = `  - { id: users, match: { path: '/users/*' }, upstream: it, policies: { authentication: { schemes: [jwt] }, authorization: { anyRole: [admin] } } }
  - { id: open, match: { path: '/open/{token}' }, upstream: it }
  - { id: rare, match: { path: /rare }, respond: { status: 204 } }
`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-replay-'));
  process.env['SIGNING'] = SECRET;
  upstream = await startUpstream();
  gateway = await startGateway({ config: config(ROUTES), environment: { SIGNING: SECRET } });
}, 60_000);

afterAll(async () => {
  delete process.env['SIGNING'];
  await gateway.stop();
  await upstream.stop();
  rmSync(folder, { recursive: true });
});

const record = (order: object): Promise<Response> =>
  fetch(`${gateway.adminUrl}/record`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(order),
  });

interface Sample {
  readonly text: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly exchanges: readonly RecordedExchange[];
  readonly end: Readonly<Record<string, unknown>>;
}

/** Records what somebody does meanwhile. */
async function recorded(order: object, act: () => Promise<unknown>): Promise<Sample> {
  const answer = await record(order);
  await act();
  const text = await answer.text();
  const [header = {}, ...lines] = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { text, header, end: lines.pop() ?? {}, exchanges: lines as unknown as RecordedExchange[] };
}

async function bearer(claims: object): Promise<string> {
  return `Bearer ${await signWithSecret(SECRET, 'https://id.test/', { claims: { ...claims } })}`;
}

const get = (path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
  fetch(gateway.url + path, { headers });

describe('POST /record', () => {
  it('answers with what was served, who called as was verified, and no credential', async () => {
    const authorization = await bearer({ roles: ['admin'], email: 'ann@test', password_hint: 'swordfish' });
    const { text, header, exchanges, end } = await recorded({ max: 3 }, async () => {
      await get('/users/7?lang=de&api_key=hushhush1', {
        authorization,
        cookie: 'sid=crumbs',
        'x-plain': 'seen',
      });
      await get('/open/abc-123');
      await get('/users/8');
    });
    expect(header).toMatchObject({ format: 'gatehouse-sample', version: 1 });
    expect(end).toEqual({ end: 'max', recorded: 3, skipped: 0, lost: 0 });
    const [users, open, refused] = exchanges;
    expect(users).toMatchObject({
      method: 'GET',
      url: `${gateway.url}/users/7?lang=de&api_key=xxxxxxxx0`,
      route: 'users',
      status: 200,
      upstream: 'it',
      as: { id: 'alice', scheme: 'jwt', roles: ['admin'], claims: { password_hint: '(hidden)' } },
    });
    expect(users?.dropped).toEqual(expect.arrayContaining(['authorization', 'cookie']));
    expect(users?.headers).toContainEqual(['x-plain', 'seen']);
    expect(open?.url).toBe(`${gateway.url}/open/xxx-000`);
    expect(refused).toMatchObject({ route: 'users', status: 401, problem: 'credentials-missing' });
    expect(refused).not.toHaveProperty('as');
    expect(text).not.toMatch(/hushhush|crumbs|swordfish|abc-123|eyJ/);
  });

  it('keeps bodies only when asked, only JSON, up to a size, and without secrets', async () => {
    const post = (body: string, type = 'application/json'): Promise<Response> =>
      fetch(`${gateway.url}/open/x`, { method: 'POST', headers: { 'content-type': type }, body });
    const act = async (): Promise<void> => {
      await post('{"name":"Ann","password":"swordfish"}');
      await post(JSON.stringify({ much: 'x'.repeat(100) }));
      await post('password=swordfish', 'text/plain');
    };
    const without = await recorded({ max: 3 }, act);
    expect(without.exchanges.map(({ body, bodyLeft }) => [body, bodyLeft])).toEqual(
      Array.from({ length: 3 }, () => [undefined, undefined]),
    );
    const kept = await recorded({ max: 3, bodies: '64B' }, act);
    expect(kept.exchanges.map(({ body, bodyLeft }) => body ?? bodyLeft)).toEqual([
      '{"name":"Ann","password":"(hidden)"}',
      'too large',
      'no JSON',
    ]);
    expect(without.text + kept.text).not.toContain('swordfish');
    // What is recorded arrives all the same.
    expect(await (await post('{"a":1}')).json()).toMatchObject({ body: '{"a":1}' });
  });

  it('is bounded by number, by route, by bytes, by time', async () => {
    const act = async (): Promise<void> => {
      for (let count = 0; count < 3; count += 1) await get('/open/x');
      await get('/rare');
    };
    const byRoute = await recorded({ max: 2, perRoute: 1 }, act);
    expect(byRoute.exchanges.map(({ route }) => route)).toEqual(['open', 'rare']);
    expect(byRoute.end).toEqual({ end: 'max', recorded: 2, skipped: 2, lost: 0 });
    const byBytes = await recorded({ bytes: '1KiB' }, act);
    expect(byBytes.end).toMatchObject({ end: 'bytes' });
    expect(byBytes.text.length).toBeLessThan(1024 + 100);
    expect((await recorded({ for: '100ms' }, async () => undefined)).end).toMatchObject({
      end: 'time',
      recorded: 0,
    });
  });

  it('is for one at a time, and ends when whoever records leaves', async () => {
    const leaving = new AbortController();
    const headers = { 'x-gatehouse-admin': 'spec' };
    const first = await fetch(`${gateway.adminUrl}/record`, {
      method: 'POST',
      headers,
      signal: leaving.signal,
    });
    expect(first.status).toBe(200);
    expect((await record({})).status).toBe(409);
    leaving.abort();
    let answer = await record({ for: '100ms' });
    for (; answer.status === 409; answer = await record({ for: '100ms' })) await new Promise(setImmediate);
    expect(await answer.text()).toContain('"end":"time"');
  });

  it('says what is wrong with an order', async () => {
    const answer = await record({ for: '2h', rat: '10%' });
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { error: string }).error).toMatch(/for.*1h/s);
  });
});

describe('gatehouse record and gatehouse replay', () => {
  let sample: string;

  const fileOf = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  const files = (now: string): string[] => [fileOf('old.yaml', config(ROUTES)), fileOf('new.yaml', now)];
  const replayed = (now: string, ...options: string[]) =>
    runCommand(['replay', ...files(now), sample, ...options]);
  const found = async (now: string): Promise<Replayed> =>
    JSON.parse((await replayed(now, '--json')).stdout) as Replayed;

  beforeAll(async () => {
    sample = join(folder, 'sample.ndjson');
    const running = runCommand(['record', '--out', sample, '--max', '4', '--admin', gateway.adminUrl]);
    while (!((await (await fetch(`${gateway.adminUrl}/record`)).json()) as { isOn: boolean }).isOn)
      await new Promise(setImmediate);
    // Soon expired: replay goes by what was found out.
    const authorization = await bearer({ roles: ['admin'], exp: Math.floor(Date.now() / 1000) + 5 });
    await get('/users/7', { authorization });
    await get('/users/8', { authorization });
    await get('/users/9', { authorization: await bearer({ roles: ['guest'] }) });
    await get('/open/x');
    const { code, stdout } = await running;
    expect([code, stdout]).toEqual([0, `${sample}: 4 exchanges, 0 left out; ended by max\n`]);
  }, 30_000);

  it('writes a file that only its owner may read', () => {
    expect(statSync(sample).mode & 0o777).toBe(0o600);
    expect(readFileSync(sample, 'utf8').trim().split('\n')).toHaveLength(6);
  });

  it('finds nothing where nothing changes, and names routes without a request', async () => {
    await ensureBuilt();
    const args = ['replay', ...files(config(ROUTES)), sample, '--fail-on-change'];
    const { code, stdout } = await runBin(args, { SIGNING: SECRET });
    expect([code, stdout]).toEqual([
      0,
      [
        '4 requests compared, 0 would be treated otherwise',
        'not compared, because it differs by itself: header traceparent, header x-request-deadline-ms, header x-request-id',
        'without a request in the sample: rare',
        '',
      ].join('\n'),
    ]);
  }, 60_000);

  it('groups what changes by kind and route, with counts and an example', async () => {
    const now = await found(
      config(
        ROUTES.replace('anyRole: [admin]', 'anyRole: [guest]').replace(
          'upstream: it }\n  - { id: rare',
          "upstream: other, rewrite: { path: '/moved' } }\n  - { id: rare",
        ),
      ),
    );
    expect([now.compared, now.changed]).toEqual([4, 4]);
    expect(now.changes.map(({ kind, route, count, what }) => [kind, route, count, what])).toEqual([
      ['decision', 'users', 2, 'forward → 403 permission-denied by authorization anyRole(guest)'],
      ['decision', 'users', 1, '403 permission-denied by authorization anyRole(admin) → forward'],
      ['upstream', 'open', 1, expect.stringMatching(/^it \(.*\) → other \(/)],
      ['request', 'open', 1, 'line'],
    ]);
    expect(now.changes[0]?.example).toEqual({ request: `GET ${gateway.url}/users/7`, line: 2 });
    expect(now.changes[3]).toMatchObject({ from: 'GET /open/x HTTP/1.1', to: 'GET /moved HTTP/1.1' });
  });

  it('tells another route, and fields that are sent', async () => {
    const first = `  - { id: sevens, match: { path: /users/7 }, upstream: it, policies: { transform: { request: { setHeaders: { x-seven: '1' } } } } }\n`;
    const { code, stdout } = await replayed(config(first + ROUTES), '--fail-on-change');
    expect(code).toBe(1);
    expect(stdout).toContain('1 × users  users → sevens');
    expect(stdout).toContain('header x-seven: (none) → 1');
    expect((await replayed(config(first + ROUTES))).code).toBe(0);
  });

  it('says that a configuration is faulty with 2', async () => {
    expect((await replayed('version: 2')).code).toBe(2);
  });

  it('says that a file is no sample with 2', async () => {
    const none = fileOf('none.ndjson', '{"format":"gatehouse-sample","version":9}\n');
    const file = fileOf('same.yaml', config(ROUTES));
    const { code, stderr } = await runCommand(['replay', file, file, none]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('of another version (9)')]);
  });

  it('goes on past lines that cannot be replayed, and tells the first', async () => {
    const file = fileOf('same.yaml', config(ROUTES));
    const torn = fileOf(
      'torn.ndjson',
      `${readFileSync(sample, 'utf8').split('\n').slice(0, 2).join('\n')}\n{"at":1}\nno\n`,
    );
    expect((await runCommand(['replay', file, file, torn])).stdout).toMatch(
      /^1 request compared.*2 lines cannot be replayed; line 3: at: /s,
    );
  });
});
