import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FREE_PORTS, startSampleServices, type SampleServices } from '../../examples/services/start.ts';
import { ensureBuilt, runBin, startChild, type ChildGateway } from '../support/child.ts';
import { call, type CallOptions } from '../support/client.ts';
import { MARK, TRACES } from '../support/marks.ts';
import { shopConfig, type RouteInput } from '../support/shop.ts';
import { connect } from '../support/socket-client.ts';
import { echo, startUpstream, type TestUpstream } from '../support/upstream.ts';

jest.setTimeout(180_000);

const PASSWORD = `pass-${MARK}`;
const GOOD_KEY = `gh_live_${MARK}${'k'.repeat(40)}`;
const BAD_KEY = `gh_test_${MARK}${'x'.repeat(40)}`;
const PRIVATE_KEY = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(MARK.repeat(9)).toString('base64')}\n-----END PRIVATE KEY-----\n`;
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const FORGED = `${part({ alg: 'RS256', kid: MARK })}.${part({ iss: MARK, sub: MARK })}.${part([MARK])}`;

const env = {
  REDIS_URL: `redis://gateway:${PASSWORD}@127.0.0.1:1/0`,
  STICKY: `${MARK}${'0'.repeat(40)}`,
  PARTNER_TOKEN: `partner-${MARK}`,
  PARTNER_AUTH: `Basic ${Buffer.from(`me:${MARK}`).toString('base64')}`,
};

let folder: string;
let services: SampleServices;
let upstream: TestUpstream;
let gateway: ChildGateway;
/** Everything that came out, by where. */
const outputs = new Map<string, string>();
let good: string;

const path = (name: string): string => join(folder, name);
const route = (id: string, policies: object = {}, more: object = {}): RouteInput => ({
  id,
  match: { path: `/${id}` },
  upstream: 'echo',
  policies: { authentication: 'public', ...policies },
  ...more,
});

function configOf(more: object = {}, routes: readonly RouteInput[] = []): string {
  const token = '${PARTNER_TOKEN}';
  const known = { sha256: createHash('sha256').update(GOOD_KEY).digest('hex'), clientId: 'planted' };
  const config = shopConfig(services, upstream, {
    identity: { apiKeys: [known], revocation: { onStoreError: 'open' } },
    upstreams: () => ({
      gone: { targets: ['http://127.0.0.1:1'], circuitBreaker: 'off', retry: { attempts: 1 } },
      sticky: { targets: [upstream.url], sticky: { cookie: 'pin', secretEnv: 'STICKY' } },
      found: {
        discovery: { consul: { url: 'http://127.0.0.1:1', service: 'x', tokenEnv: 'PARTNER_TOKEN' } },
      },
    }),
    routes: [
      route('open'),
      route('own', { authentication: { schemes: ['jwt', 'apiKey'] } }),
      route('admins', {
        authentication: { schemes: ['jwt', 'apiKey'] },
        authorization: { anyRole: ['admin'] },
      }),
      route('limited', { rateLimit: { key: 'ip', rate: 1, per: '1d', onStoreError: 'closed' } }),
      route('checked', {
        validation: {
          body: {
            type: 'object',
            properties: { password: { type: 'integer' }, pin: { enum: [1] } },
            additionalProperties: false,
          },
        },
      }),
      route('asked', { bodyAuthorization: { when: 'body.password < 10' } }),
      route('masked', { transform: { response: { maskFields: ['a'] } } }),
      route('told', {
        transform: {
          request: { setHeaders: { 'x-partner-token': token, authorization: '${PARTNER_AUTH}' } },
        },
      }),
      route('gone', {}, { upstream: 'gone' }),
      route('pinned', {}, { upstream: 'sticky' }),
      route('knows', {}, { match: { path: '/knows', headers: { 'x-api-key': `literal-${MARK}` } } }),
      {
        id: 'composed',
        match: { path: '/composed' },
        policies: { authentication: 'public' },
        aggregate: { calls: { part: { upstream: 'echo', path: '/p?token={query.token}', required: true } } },
      },
      ...routes,
    ],
    policies: { authentication: { schemes: ['jwt', 'apiKey'] } },
    more: {
      audit: { file: path('audit.jsonl'), denials: { perAddress: 10_000, perSecond: 10_000 } },
      ...more,
    },
  });
  return JSON.stringify(config);
}

/** What the service says: secrets of its own, in whatever form. */
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const problem = { type: 'about:blank', detail: `no ${FORGED}`, password: PASSWORD, [MARK]: MARK };
const ANSWERS: readonly ((request: IncomingMessage, response: ServerResponse) => void)[] = [
  (_request, response) =>
    void response.writeHead(500, MARK, { 'x-any': MARK, 'set-cookie': `s=${MARK}` }).end(`at ${PASSWORD}`),
  (_request, response) =>
    void response.writeHead(403, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem)),
  (_request, response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(`{"a": ${MARK}`),
  (_request, response) =>
    void response.writeHead(200, { 'content-length': 99 }).write(MARK, () => response.destroy()),
];

const json = (value: unknown, headers: object = {}): CallOptions => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: typeof value === 'string' ? value : JSON.stringify(value),
});

function requests(): readonly [string, CallOptions][] {
  const secret = { authorization: `Bearer ${good}`, cookie: `session=${MARK}; __Host-token=${FORGED}` };
  return [
    ['', { headers: secret }],
    ['', { headers: { authorization: `Bearer ${FORGED}`, 'user-agent': `curl Bearer ${FORGED}` } }],
    ['', { headers: { 'x-api-key': GOOD_KEY, 'user-agent': `tool/1 (${GOOD_KEY})` } }],
    ['', { headers: { 'x-api-key': BAD_KEY, 'user-agent': `https://me:${PASSWORD}@host/` } }],
    ['', { headers: { authorization: `Basic ${Buffer.from(`me:${MARK}`).toString('base64')}` } }],
    [`?access_token=${FORGED}&password=${PASSWORD}&${MARK}`, {}],
    [`?token=${MARK}`, json({ password: PASSWORD, other: MARK, pin: MARK }, secret)],
    ['', json(`{"password": "${PASSWORD}"`)],
    [
      '',
      json({ query: 'query ($p: Int!) { a(p: $p) }', variables: { p: PASSWORD } }, { 'x-api-key': GOOD_KEY }),
    ],
    ['', json({ query: `{ me(password: "${PASSWORD}") { ${MARK} } }` }, secret)],
  ];
}

const DOORS = [
  'open', 'own', 'admins', 'limited', 'checked', 'asked', 'masked', 'told', 'gone', 'pinned', 'composed',
  'api/v1/orders', 'api/v1/orders/1', 'api/homepage', 'graphql', 'nowhere', 'a//b',
]; // prettier-ignore

/** Those behind which the service may say what it likes. */
const SPEAKING = ['open', 'masked', 'told', 'composed'];

async function send(
  door: string,
  [suffix, options]: readonly [string, CallOptions],
  said: string[],
): Promise<void> {
  const told = await call(`${gateway.url}/${door}${suffix}`, options).catch(() => undefined);
  // What a service answers goes to who asked for it; what the gateway says itself holds nothing of that.
  const isOurs =
    told?.headers['content-type']?.includes('problem+json') === true && !told.text.includes('about:blank');
  if (isOurs || door === 'graphql') said.push(JSON.stringify([told?.headers, told?.text]));
}

async function overSocket(payload: object): Promise<void> {
  const { socket, closed } = connect('/graphql', { url: gateway.url, protocols: ['graphql-transport-ws'] });
  socket.on('open', () => {
    socket.send(JSON.stringify({ type: 'connection_init', payload }));
    socket.send(
      JSON.stringify({
        id: MARK,
        type: 'subscribe',
        payload: { query: `{ ${MARK} }`, variables: { p: PASSWORD } },
      }),
    );
    setTimeout(() => socket.close(), 50);
  });
  await closed;
}

const ADMIN: readonly [string, CallOptions][] = [
  ...['/', '/metrics', '/routes', '/upstreams', '/discovery', '/config', '/canaries', '/revocations'].map(
    (page): [string, CallOptions] => [page, {}],
  ),
  [`/explain?request=GET%20/told?access_token=${MARK}&header=Authorization:%20Bearer%20${MARK}`, {}],
  [
    '/explain',
    json({ request: `GET /told?token=${MARK}`, headers: [`Cookie: a=${MARK}`, `X-Api-Key: ${GOOD_KEY}`] }),
  ],
  [
    '/explain',
    json({
      request: 'POST /composed',
      headers: ['X-Any: Bearer x', `X-Any: ${FORGED}`],
      body: `{"password":"${MARK}"}`,
    }),
  ],
  ['/explain', json({ request: 'GET /told', headers: [`X-Sso-Badge: ${MARK}`] })],
  [
    '/nowhere',
    { method: 'DELETE', headers: { authorization: `Bearer ${MARK}`, 'user-agent': `x ${FORGED}` } },
  ],
];

/** A file in which secrets stand where none belong; what is wrong with it is told to whoever made it. */
const faulty = (): string =>
  configOf(
    {
      identity: {
        issuers: [
          {
            issuer: `https://me:${PASSWORD}@id.example.com/`,
            jwks: `https://x:${PASSWORD}@id/`,
            audiences: ['a'],
          },
        ],
        apiKeys: [{ sha256: GOOD_KEY, clientId: 'x' }],
      },
      upstreams: {
        echo: { targets: [`http://me:${PASSWORD}@127.0.0.1:1`], tls: { key: PRIVATE_KEY } },
        found: {
          discovery: {
            consul: { url: `http://me:${PASSWORD}@h`, service: 'x', tokenEnv: `no ${env.PARTNER_TOKEN}` },
          },
        },
        pinned: { targets: ['http://127.0.0.1:1'], sticky: { cookie: 'pin', secretEnv: env.STICKY } },
      },
    },
    [route('open', { transform: { request: { setHeaders: { authorization: `Bearer ${FORGED}\n` } } } })],
  );

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-planted-'));
  [services, upstream] = await Promise.all([
    startSampleServices({ ports: FREE_PORTS, quiet: true }),
    startUpstream((request, response) => answer(request, response)),
    ensureBuilt(),
  ]);
  good = await services.identity.token('user', { email: MARK, name: MARK });
  writeFileSync(path('gateway.yaml'), configOf({ logging: { redact: ['X-Sso-Badge'] } }));
  gateway = await startChild(path('gateway.yaml'), env);
  const said: string[] = [];
  answer = echo;
  await Promise.all(DOORS.flatMap((door) => requests().map((request) => send(door, request, said))));
  for (answer of ANSWERS) await Promise.all(SPEAKING.map((door) => send(door, ['?token=x', {}], said)));
  answer = echo;
  await Promise.all([overSocket({ 'x-api-key': BAD_KEY }), overSocket({ authorization: `Bearer ${good}` })]);
  outputs.set('problems', said.join('\n'));
  writeFileSync(path('gateway.yaml'), faulty());
  gateway.process.kill('SIGHUP');
  for (let turn = 0; turn < 500 && !gateway.lines().some(({ faults }) => faults !== undefined); turn += 1)
    await sleep(20);
  for (const [page, options] of ADMIN) {
    const told = await call(gateway.adminUrl + page, options);
    outputs.set(
      `${options.method ?? 'GET'} ${page.split('?')[0]} ${outputs.size}`,
      JSON.stringify([told.headers, told.text]),
    );
  }
  await gateway.end();
  outputs.set('standard output', JSON.stringify(gateway.lines()));
  outputs.set('standard error', gateway.stderr());
  outputs.set('audit', readFileSync(path('audit.jsonl'), 'utf8'));
  await commands();
});

async function commands(): Promise<void> {
  writeFileSync(path('faulty.yaml'), faulty());
  // Without code: what a command is told of is the file.
  const plain = { modules: [] };
  writeFileSync(path('good.yaml'), configOf(plain));
  const other = configOf(plain)
    .replace('${PARTNER_AUTH}', `Bearer ${FORGED}`)
    .replace('${PARTNER_TOKEN}', `other-${MARK}`);
  writeFileSync(path('other.yaml'), other);
  const given = ['--config', path('good.yaml')];
  const runs = [
    ['validate', '--config', path('faulty.yaml')],
    ['routes', ...given],
    ['explain', `GET /told?token=${MARK}`, '-H', `Authorization: Bearer ${FORGED}`, ...given],
    ['diff', path('good.yaml'), path('other.yaml')],
  ];
  await Promise.all(
    runs.map(async (args) => {
      const { stdout, stderr } = await runBin(args, env);
      outputs.set(`gatehouse ${args[0]}`, stdout + stderr);
    }),
  );
}

afterAll(async () => {
  await Promise.all([services.stop(), upstream.stop()]);
  rmSync(folder, { recursive: true });
});

const OUTPUTS = [
  'problems', 'standard output', 'standard error', 'audit',
  'gatehouse validate', 'gatehouse routes', 'gatehouse explain', 'gatehouse diff',
]; // prettier-ignore

describe('no secret that was planted is in', () => {
  it.each(OUTPUTS)('%s', (name) => {
    expect(tracesIn(outputs.get(name))).toEqual([]);
  });

  it('what operators are shown', () => {
    const pages = [...outputs].filter(([name]) => /^[A-Z]+ \//.test(name));
    expect(pages).toHaveLength(ADMIN.length);
    expect(pages.flatMap(([name, text]) => tracesIn(text).map((trace) => `${name}: ${trace}`))).toEqual([]);
  });
});

describe('the outputs', () => {
  it('are there, and have met refusals and faults', () => {
    const lines = outputs.get('standard output') ?? '';
    for (const code of [
      'credentials-invalid', 'credentials-missing', 'permission-denied', 'limiter-unavailable', 'request-invalid',
      'upstream-unreachable', 'upstream-response-invalid', 'route-not-found', 'request-malformed',
    ]) expect(lines).toContain(`"${code}"`); // prettier-ignore
    expect(outputs.get('audit')).toContain('"userAgent":"curl Bearer [redacted]"');
    expect(outputs.get('audit')).toContain('"kind":"config"');
    expect(outputs.get('gatehouse validate')).toMatch(/faults? in/);
    expect(outputs.get('gatehouse routes')).toContain('told');
    expect(outputs.get('gatehouse diff')).toContain('told');
    expect(outputs.get('problems')).toContain('problem+json');
  });
});

/** The places of secrets in a text, with what stands around them. */
function tracesIn(text: string | undefined): string[] {
  if (text === undefined) return ['there is no such output'];
  const found = TRACES.flatMap((trace) => {
    const at = text.indexOf(trace);
    return at < 0 ? [] : [text.slice(Math.max(0, at - 80), at + 60)];
  });
  return found;
}
