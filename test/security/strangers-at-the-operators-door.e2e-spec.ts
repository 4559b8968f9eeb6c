import { once } from 'node:events';
import { request as plainRequest, type IncomingMessage } from 'node:http';
import { request as secureRequest, type RequestOptions } from 'node:https';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ConfigError } from '../../src/config/config-fault.ts';
import { certificate } from '../support/certificates.ts';
import { checkGateway, startGateway, type LogLine, type TestGateway } from '../support/gateway.ts';
import { bearer, operatorToken, useOperators, type Operators } from '../support/operators.ts';

const CONFIG = 'version: 1\nupstreams: {}\nroutes: []\n';

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

let gateway: TestGateway | undefined;
let operators: Operators | undefined;

afterEach(async () => {
  await gateway?.stop();
  operators?.remove();
  [gateway, operators] = [undefined, undefined];
});

async function start(environment: Record<string, string> = {}, more = ''): Promise<Operators> {
  operators = useOperators(more);
  const variables = { ...operators.environment, ...environment };
  gateway = await startGateway({ config: CONFIG, environment: variables });
  return operators;
}

/** Unlike `fetch` it says any `Host`, `Origin` and `Sec-Fetch-Site`. */
async function ask(path: string, options: RequestOptions & { body?: string } = {}): Promise<Answer> {
  const url = `${gateway?.adminUrl}${path}`;
  const request = (url.startsWith('https') ? secureRequest : plainRequest)(url, options);
  request.end(options.body);
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  return { status: answer.statusCode, headers: answer.headers, text };
}

const said = async (wanted: (line: LogLine) => boolean): Promise<readonly LogLine[]> =>
  (await gateway?.linesWhere(wanted)) ?? [];

const post = (headers: Record<string, string>, body = '{}') => ({ method: 'POST', headers, body });

describe('a listener beyond loopback', () => {
  const faultsOf = async (environment: Record<string, string>): Promise<readonly string[]> => {
    const error = await checkGateway({ config: CONFIG, environment }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).faults.map(({ key, message }) => `${key} ${message}`);
  };

  it.each(['0.0.0.0', '::', '192.0.2.1', 'gateway-1', '127.0.0.1.example.com'])(
    'does not start at %s without anybody who may come',
    async (host) => {
      expect(await faultsOf({ ADMIN_HOST: host })).toEqual([
        expect.stringMatching(/^ADMIN_HOST expected ADMIN_TOKENS_FILE/),
      ]);
    },
  );

  it('does not start with a file of certificates that nobody could show', async () => {
    operators = useOperators();
    writeFileSync(operators.file, 'certificates:\n  - { name: a, role: admin, dns: a.example }\n');
    expect(await faultsOf({ ...operators.environment, ADMIN_HOST: '0.0.0.0' })).toEqual([
      expect.stringContaining('ADMIN_CLIENT_CA_FILE'),
      expect.stringContaining('expected a token in it'),
    ]);
  });

  it('starts with tokens, and asks for them', async () => {
    const { tokens } = await start({ ADMIN_HOST: '0.0.0.0' });
    expect((await ask('/metrics')).status).toBe(401);
    expect((await ask('/metrics', { headers: bearer(tokens.read) })).status).toBe(200);
  });
});

describe('a token', () => {
  it('is compared whole, once it is no longer expired', async () => {
    const ended = operatorToken('ended', 'admin', ', expires: 2020-01-01');
    const { tokens } = await start({}, ended.line);
    const reads = async (headers: Record<string, string>) => (await ask('/routes', { headers })).status;
    expect(await reads(bearer(tokens.admin))).toBe(200);
    expect(await reads(bearer(tokens.admin.slice(0, -1)))).toBe(401);
    expect(await reads(bearer(`${tokens.admin}A`))).toBe(401);
    expect(await reads(bearer(ended.token))).toBe(401);
    expect(await reads({ authorization: `Basic ${btoa(`admin:${tokens.admin}`)}` })).toBe(401);
    expect((await ask(`/routes?access_token=${tokens.admin}`)).status).toBe(401);
  });

  it('that is short enough to be guessed opens nothing, though the file lists its digest', async () => {
    const weak = '8c6976e5b5410415bde908bd4dee15dfb167a9c873fc4bb8a81f6f2ab448a918';
    await start({}, `  - { name: weak, role: admin, sha256: ${weak} }\n`);
    expect((await ask('/routes', { headers: bearer('admin') })).status).toBe(401);
  });

  it('is guessed ten times, and then nothing is looked at for a while; sessions go on', async () => {
    const { tokens } = await start();
    const login = await ask('/session', post({ 'content-type': 'application/json' }, JSON.stringify({ token: tokens.read }))); // prettier-ignore
    const cookie = String(login.headers['set-cookie']).split(';', 1)[0] as string;
    for (let tries = 0; tries < 10; tries += 1)
      expect((await ask('/routes', { headers: bearer('x'.repeat(43)) })).status).toBe(401);
    const held = await ask('/routes', { headers: bearer(tokens.admin) });
    expect([held.status, Number(held.headers['retry-after']) > 0]).toEqual([429, true]);
    expect((await ask('/session', post({ 'content-type': 'application/json' }, `{"token":"${tokens.admin}"}`))).status).toBe(429); // prettier-ignore
    expect((await ask('/routes', { headers: { cookie } })).status).toBe(200);
    const metrics = await ask('/metrics', { headers: { cookie } });
    expect(metrics.text).toContain('gatehouse_admin_denials_total{reason="unknown-token"} 10');
    expect(metrics.text).toContain('gatehouse_admin_denials_total{reason="damped"} 2');
  });

  it('leaves no trace in the log', async () => {
    const { tokens } = await start();
    await ask('/routes', { headers: bearer(`${tokens.admin}x`) });
    await ask('/session', post({ 'content-type': 'application/json' }, `{"token":"${tokens.operate}"}`));
    await ask('/log-level', { headers: bearer(tokens.operate), method: 'DELETE' });
    const log = JSON.stringify(gateway?.lines);
    for (const token of Object.values(tokens)) expect(log).not.toContain(token);
  });
});

describe('pages in the browser of an operator', () => {
  const json = { 'content-type': 'application/json', 'x-gatehouse-admin': 'console' };
  const own = (): Record<string, string> => ({
    origin: gateway?.adminUrl ?? '',
    'sec-fetch-site': 'same-origin',
  });

  it.each<[string, string, RequestOptions & { body?: string }]>([
    ['an image', '/routes', { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' } }],
    ['another port of the same host', '/routes', { headers: { 'sec-fetch-site': 'same-site' } }],
    ['a page whose origin is opaque', '/routes', { headers: { origin: 'null' } }],
    ['a name that was made to lead here', '/routes', { headers: { host: 'evil.example:9080', 'sec-fetch-site': 'same-origin' } }], // prettier-ignore
    ['the same with its own origin', '/cache/purge', post({ ...json, host: 'evil.example', origin: 'http://evil.example' })], // prettier-ignore
    ['a form', '/cache/purge', post({ 'content-type': 'text/plain', 'sec-fetch-site': 'cross-site' })],
    ['a link to what tells something', '/routes', { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' } }], // prettier-ignore
    ['another scheme', '/cache/purge', post({ ...json, host: 'localhost', origin: 'https://localhost' })],
  ])('get nothing where nobody is asked: %s', async (_what, path, options) => {
    gateway = await startGateway({ config: CONFIG });
    expect((await ask(path, options)).status).toBe(403);
  });

  it('may follow a link to the index', async () => {
    gateway = await startGateway({ config: CONFIG });
    const headers = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }; // prettier-ignore
    expect((await ask('/', { headers })).status).toBe(200);
    expect((await ask('/', { headers: { ...headers, 'sec-fetch-dest': 'iframe' } })).status).toBe(403);
  });

  it('of the listener itself read and give orders, as JSON that says so', async () => {
    gateway = await startGateway({ config: CONFIG });
    expect((await ask('/routes', { headers: { 'sec-fetch-site': 'same-origin' } })).status).toBe(200);
    expect((await ask('/log-level', { method: 'DELETE', headers: { ...own(), ...json } })).status).toBe(200);
    expect((await ask('/cache/purge', post({ ...own(), ...json }))).status).toBe(400);
    expect((await ask('/cache/purge', post({ ...own(), 'content-type': 'application/json' }))).status).toBe(403); // prettier-ignore
    expect((await ask('/cache/purge', post({ ...own(), ...json, 'content-type': 'text/plain' }))).status).toBe(403); // prettier-ignore
  });

  it('are known by the names of ADMIN_HOSTS, also behind what speaks TLS', async () => {
    gateway = await startGateway({ config: CONFIG, environment: { ADMIN_HOSTS: 'ops.example, https://console.example' } }); // prettier-ignore
    const asked = (host: string, origin: string) => ask('/cache/purge', post({ ...json, host, origin }));
    expect((await asked('ops.example:9080', 'http://ops.example:9080')).status).toBe(400);
    expect((await asked('console.example', 'https://console.example')).status).toBe(400);
    expect((await asked('console.example', 'http://console.example')).status).toBe(403);
    expect((await asked('other.example', 'http://other.example')).status).toBe(403);
    expect((await ask('/routes', { headers: { host: 'other.example' } })).text).toContain('ADMIN_HOSTS');
  });
});

describe('a session', () => {
  const json = { 'content-type': 'application/json' };

  async function opened(tokens: Operators['tokens']): Promise<string> {
    const answer = await ask('/session', post(json, JSON.stringify({ token: tokens.operate })));
    expect(answer.status).toBe(204);
    const [field = ''] = answer.headers['set-cookie'] ?? [];
    expect(field).toMatch(/^gatehouse-admin=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    return field.split(';', 1)[0] as string;
  }

  it('is who opened it, and ends when it is closed', async () => {
    const { tokens } = await start();
    const cookie = await opened(tokens);
    const { text } = await ask('/whoami', { headers: { cookie } });
    expect(JSON.parse(text)).toEqual({ name: 'operate', role: 'operate', by: 'session', needsToken: true });
    const headers = { cookie, ...json, 'x-gatehouse-admin': 'console' };
    const closed = await ask('/session', { method: 'DELETE', headers });
    expect([closed.status, String(closed.headers['set-cookie'])]).toEqual([204, expect.stringContaining('Max-Age=0')]); // prettier-ignore
    expect((await ask('/whoami', { headers: { cookie } })).status).toBe(401);
  });

  it('gives no order that a page of another site could send, were the cookie sent along', async () => {
    const { tokens } = await start();
    const cookie = await opened(tokens);
    expect((await ask('/log-level', { method: 'DELETE', headers: { cookie } })).status).toBe(403);
    expect((await ask('/cache/purge', post({ ...json, cookie }))).status).toBe(403);
    expect((await ask('/cache/purge', post({ ...json, cookie, 'x-gatehouse-admin': 'console' }))).status).toBe(400); // prettier-ignore
  });

  it('is worth nothing beside another one of the name, and no more than its token', async () => {
    const { tokens, file, text } = await start();
    const cookie = await opened(tokens);
    expect((await ask('/whoami', { headers: { cookie: `${cookie}; ${cookie}` } })).status).toBe(401);
    writeFileSync(file, text.replace(/.*operate.*\n/, ''));
    const [line] = await said(({ msg }) => msg.startsWith('operators’ access'));
    expect(line?.['tokens']).toBe(2);
    expect((await ask('/whoami', { headers: { cookie } })).status).toBe(401);
  });
});

describe('the file of tokens', () => {
  it('is read again when it changes; one with a fault is told with its place, and the one before holds', async () => {
    const { tokens, file, text } = await start();
    const next = operatorToken('read', 'read');
    writeFileSync(file, text + next.line);
    await said(({ msg }) => msg === 'operators’ access read again');
    for (const token of [tokens.read, next.token])
      expect((await ask('/routes', { headers: bearer(token) })).status).toBe(200);
    writeFileSync(file, text.replace('role: operate', 'role: operator'));
    const [line] = await said(({ msg }) => msg.startsWith('operators’ access not taken over'));
    expect(line?.['faults']).toEqual([
      expect.objectContaining({ file, line: 3, key: expect.stringContaining('role'), suggestion: 'operate' }),
    ]);
    expect((await ask('/routes', { headers: bearer(next.token) })).status).toBe(200);
  });
});

describe('a certificate', () => {
  it('opens what the file says, if one signs it that is asked', async () => {
    operators = useOperators();
    const { folder } = operators;
    const at = (name: string, text: string): string => {
      const file = join(folder, name);
      writeFileSync(file, text);
      return file;
    };
    const authority = certificate({ name: 'operators', isAuthority: true });
    const server = certificate({ name: 'gateway', hosts: ['127.0.0.1', 'localhost'], by: authority });
    const alternative = [['uri', 'spiffe://example.com/ops/anna']] as const;
    const anna = certificate({ name: 'anna', alternative, by: authority });
    const other = certificate({ name: 'other', by: authority });
    const forged = certificate({ name: 'anna', alternative });
    writeFileSync(
      operators.file,
      `${operators.text}certificates:\n  - { name: anna, role: operate, uri: 'spiffe://example.com/ops/*' }\n`,
    );
    gateway = await startGateway({
      config: CONFIG,
      environment: {
        ...operators.environment,
        ADMIN_CERT_FILE: at('cert.pem', server.cert),
        ADMIN_KEY_FILE: at('key.pem', server.key),
        ADMIN_CLIENT_CA_FILE: at('ca.pem', authority.cert),
      },
    });
    expect(gateway.adminUrl).toMatch(/^https:/);
    const trusted = { ca: authority.cert, agent: false } as const;
    const asked = (one?: { cert: string; key: string }, headers = {}) =>
      ask('/whoami', { ...trusted, ...(one && { cert: one.cert, key: one.key }), headers });
    expect(JSON.parse((await asked(anna)).text)).toMatchObject({ name: 'anna', role: 'operate', by: 'certificate' }); // prettier-ignore
    expect((await asked(other)).status).toBe(401);
    expect((await asked(forged)).status).toBe(401);
    expect((await asked()).status).toBe(401);
    expect((await asked(undefined, bearer(operators.tokens.read))).status).toBe(200);
    // What is shown on purpose counts, and no certificate makes up for it.
    expect((await asked(anna, bearer('x'.repeat(43)))).status).toBe(401);
    const login = await ask('/session', { ...trusted, ...post({ 'content-type': 'application/json' }, `{"token":"${operators.tokens.read}"}`) }); // prettier-ignore
    expect(String(login.headers['set-cookie'])).toMatch(/^__Host-gatehouse-admin=.*; Secure$/);
  });
});
