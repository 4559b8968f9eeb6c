import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { AuditFolder } from '../support/audit.ts';
import { call, type CallOptions } from '../support/client.ts';
import { Collector, otelVariables, setVariables } from '../support/collector.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { MARK, TRACES } from '../support/marks.ts';
import { echoSockets, type SocketService } from '../support/socket-service.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

/** As services give them out: opaque, percent-encoded, with what separates segments of other systems. */
const SECRETS = [
  MARK,
  `${MARK}%2B${MARK}%3D%3D`,
  `a.${MARK}.b`,
  `x:${MARK}@y`,
  `${MARK};v=1`,
  `${MARK}~é`.replace('é', '%C3%A9'),
];
const open = { authentication: 'public' };

let audit: AuditFolder;
let collector: Collector;
let upstream: TestUpstream;
let sockets: SocketService;
let gateway: TestGateway;
let restore = (): void => undefined;
/** Everything that came out, by where. */
const outputs = new Map<string, string>();

function configOf(): object {
  const to = { upstream: 'echo' };
  const route = (id: string, more: object, policies: object = {}): object => ({
    id,
    match: { path: `/${id}/{token}` },
    policies: { ...open, ...policies },
    ...more,
  });
  return {
    version: 1,
    audit: { file: audit.file, denials: { perAddress: 10_000, perSecond: 10_000 } },
    tracing: { ratio: '100%', requestHeaders: ['referer'] },
    identity: { apiKeys: [{ sha256: '0'.repeat(64), clientId: 'it' }] },
    upstreams: {
      echo: { targets: [upstream.url] },
      gone: { targets: ['http://127.0.0.1:1'], circuitBreaker: 'off', retry: { attempts: 1 } },
    },
    routes: [
      route('reset', to),
      route('below', { ...to, match: { path: '/below/{token}/steps/{step}' } }),
      route('rewritten', { ...to, rewrite: { path: '/a/{token}/b' } }),
      route('asked', { ...to, rewrite: { path: '/a?access_token={token}' } }),
      route('cached', to, { cache: { ttl: '1m' } }),
      route('checked', to, {
        validation: { params: { type: 'object', properties: { token: { enum: ['x'] } } } },
      }),
      route('limited', to, { rateLimit: { key: 'ip', rate: 1, per: '1d' } }),
      route('own', to, { authentication: { schemes: ['apiKey'] } }),
      route('told', to, { transform: { request: { setHeaders: { 'x-ticket': '{token}' } } } }),
      route('gone', { upstream: 'gone' }),
      route('moved', { redirect: { to: '/elsewhere/{token}' } }),
      route('fixed', { respond: { status: 204 } }),
      route('composed', {
        aggregate: { calls: { part: { upstream: 'gone', path: '/p/{token}', required: true } } },
      }),
      route('live', { ...to, webSocket: 'on' }),
    ],
  };
}

const DOORS = ['reset', 'rewritten', 'asked', 'cached', 'checked', 'limited', 'own', 'told', 'gone', 'moved', 'fixed', 'composed', 'live']; // prettier-ignore

function paths(): string[] {
  return [
    ...DOORS.flatMap((door) => SECRETS.map((secret) => `/${door}/${secret}`)),
    ...SECRETS.flatMap((secret) => [`/below/${secret}/steps/1`]),
    // Whoever mistypes says it all the same.
    ...SECRETS.flatMap((secret) => [`/RESET/${secret}`, `/reset//${secret}`, `/reset/${secret}/`]),
  ];
}

async function overSocket(path: string): Promise<void> {
  const socket = new WebSocket(gateway.url.replace('http', 'ws') + path, [], {});
  socket.on('error', () => undefined);
  const end = Promise.race([once(socket, 'open'), once(socket, 'unexpected-response')]);
  await end;
  socket.close();
}

/** What is sent while somebody records, and what the gateway says of it itself. */
async function traffic(): Promise<void> {
  const problems: string[] = [];
  for (const path of paths()) {
    const answer = await call(gateway.url + path, { headers: { referer: `https://app.example${path}` } });
    if (answer.headers['content-type']?.includes('problem+json') === true)
      problems.push(JSON.stringify([answer.headers, answer.text]));
  }
  await call(`${gateway.url}/reset/${MARK}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: `{"next":"/reset/${MARK}"}` }); // prettier-ignore
  for (const secret of SECRETS) await overSocket(`/live/${secret}`);
  outputs.set('problems', problems.join('\n'));
}

const json = (value: unknown): CallOptions => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', 'x-gatehouse-admin': 'spec' },
  body: JSON.stringify(value),
});

const ids = ['reset', 'rewritten', 'checked', 'gone', 'live', 'composed'];
const ADMIN: readonly string[] = [
  '/metrics', '/routes', ...ids.map((id) => `/routes/${id}`), '/upstreams', '/changes', '/config', '/overrides', '/cache',
  '/traffic', '/traffic/routes', ...ids.map((id) => `/traffic/routes/${id}`), '/traffic/upstreams', '/traffic/upstreams/gone',
  '/traffic/picture', '/traffic/clients', '/exchanges?limit=1000',
  ...['refused', 'failed', 'slow', 'sample'].map((outcome) => `/exchanges?limit=1000&outcome=${outcome}`),
]; // prettier-ignore

async function listened(query: string): Promise<string> {
  const ended = new AbortController();
  const answer = await fetch(`${gateway.adminUrl}/stream?${query}`, { signal: ended.signal });
  let text = '';
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  while (!text.includes('event: rows')) text += Buffer.from((await reader.read()).value ?? []).toString();
  ended.abort();
  return text;
}

beforeAll(async () => {
  audit = new AuditFolder();
  collector = await new Collector().start();
  const variables = otelVariables(collector.url);
  restore = setVariables(variables);
  upstream = await startUpstream((request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ self: request.url, links: { next: `https://app.example${request.url}` } }));
  });
  sockets = echoSockets(upstream.server);
  gateway = await startGateway({
    config: JSON.stringify(configOf()),
    environment: { ...variables, LOG_LEVEL: 'debug' },
  });
  const recorded = call(`${gateway.adminUrl}/record`, json({ for: '1s', bodies: '64KiB', answers: '64KiB' }));
  await sleep(50);
  await traffic();
  for (const page of ADMIN) outputs.set(`GET ${page}`, (await call(gateway.adminUrl + page)).text);
  // What is kept of single exchanges, with the moments of each.
  const { rows } = JSON.parse(outputs.get('GET /exchanges?limit=1000') ?? '') as { rows: { id: string }[] };
  for (const { id } of rows.slice(0, 40))
    outputs.set(`GET /exchanges/${id}`, (await call(`${gateway.adminUrl}/exchanges/${id}`)).text);
  for (const view of ['overview', 'routes', 'picture', 'process', 'route&id=reset', 'upstream&id=gone'])
    outputs.set(`GET /stream ${view}`, await listened(`view=${view}`));
  for (const path of paths().slice(0, 30)) {
    const asked = await call(`${gateway.adminUrl}/explain`, json({ request: `GET ${path}` }));
    outputs.set(`explain ${outputs.size}`, asked.text);
  }
  outputs.set(
    'explain by address',
    (await call(`${gateway.adminUrl}/explain?request=GET%20/reset/${MARK}`)).text,
  );
  outputs.set('support bundle', (await call(`${gateway.adminUrl}/support-bundle`)).text);
  outputs.set('recording', (await recorded).text);
  await audit.where(({ kind }) => kind !== '', 1);
  await gateway.stop();
  outputs.set('log', JSON.stringify(gateway.lines));
  outputs.set('audit', JSON.stringify(audit.events()));
  outputs.set('spans', collector.raw.join('\n'));
}, 60_000);

afterAll(async () => {
  sockets.stop();
  await Promise.all([upstream.stop(), collector.stop()]);
  restore();
  audit.remove();
});

describe('no secret that was planted in a parameter of a path is in', () => {
  it.each(['problems', 'log', 'audit', 'spans', 'recording', 'support bundle'])('%s', (name) => {
    expect(tracesIn(outputs.get(name) ?? MARK)).toEqual([]);
  });

  it.each(['GET /metrics', 'GET /exchanges', 'GET /stream', 'GET /traffic', 'explain', 'GET /'])(
    '%s',
    (start) => {
      const pages = [...outputs].filter(([name]) => name.startsWith(start));
      expect(pages.length).toBeGreaterThan(0);
      expect(pages.flatMap(([name, text]) => tracesIn(text).map((trace) => `${name}: ${trace}`))).toEqual([]);
    },
  );
});

describe('the outputs', () => {
  it('are there, and are about those requests', () => {
    const log = outputs.get('log') ?? '';
    for (const id of DOORS) expect(log).toContain(`"route":"${id}"`);
    for (const code of [
      'credentials-missing',
      'rate-limited',
      'request-invalid',
      'upstream-unreachable',
      'route-not-found',
    ])
      expect(log).toContain(code);
    expect(outputs.get('audit')).toContain('/limited/');
    for (const name of ['recording', 'spans', 'support bundle']) expect(outputs.get(name)).toContain('reset');
    expect(outputs.get('GET /exchanges?limit=1000')).toContain('/reset/');
    expect([...outputs.keys()].filter((name) => name.startsWith('GET /exchanges/')).length).toBeGreaterThan(
      3,
    );
  });
});

/** The places of secrets in a text, with what stands around them. */
function tracesIn(text: string): string[] {
  return TRACES.flatMap((trace) => {
    const at = text.indexOf(trace);
    return at < 0 ? [] : [text.slice(Math.max(0, at - 120), at + 60)];
  });
}
