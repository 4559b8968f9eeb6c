import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { request, type IncomingMessage } from 'node:http';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { Reloads } from '../../src/snapshot/reloads.ts';
import { useBrowser, type TestPage } from '../support/browser.ts';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { reload } from '../support/reload.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

// A browser beside all other tests takes its time now and then.
jest.retryTimes(2);

const LIMIT_MS = 120_000;
const EVIL = `"'><img src=x onerror=pwned=1><svg onload=pwned=1></script><script>pwned=1</script>`;
const KEY = 'an-api-key-of-a-hostile-client-0123456789';
const browser = useBrowser();
let upstream: TestUpstream;
let gateway: TestGateway;
let opened: TestPage;

function configOf(more: readonly object[] = []): object {
  const bounded = { rateLimit: { key: 'principal', rate: 1, per: '1h', burst: 1 } };
  return {
    version: 1,
    identity: {
      apiKeys: [{ sha256: createHash('sha256').update(KEY).digest('hex'), clientId: EVIL, tenant: EVIL }],
    },
    upstreams: { it: { targets: [{ url: upstream.url, labels: { track: EVIL } }], retry: { attempts: 1 } } },
    routes: [
      { id: 'open', match: { path: '/open/*' }, upstream: 'it', policies: { authentication: 'public' } },
      {
        id: 'keyed',
        match: { path: '/keyed/*', headers: { 'x-evil': EVIL } },
        upstream: 'it',
        policies: { authentication: { schemes: ['apiKey'] }, ...bounded },
      },
      {
        id: 'said',
        match: { path: '/said' },
        respond: { status: 200, body: EVIL },
        policies: { authentication: 'public' },
      },
      ...more,
    ],
  };
}

/** Says what `fetch` would not. */
async function plant(path: string, headers: Record<string, string> = {}): Promise<void> {
  const asked = request(gateway.url + path, { headers }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  answer.resume();
  await once(answer, 'end');
}

beforeAll(async () => {
  upstream = await startUpstream((_request, response) => {
    response.writeHead(503, EVIL, { 'content-type': 'text/html', 'x-evil': EVIL }).end(EVIL);
  });
  gateway = await startGateway({ config: JSON.stringify(configOf()) });
  const path = encodeURIComponent(EVIL);
  await plant(`/open/${path}?${path}=${path}`, { 'user-agent': EVIL, referer: EVIL, 'x-request-id': EVIL });
  await plant(`/nowhere/${path}`, { host: 'x', 'x-forwarded-for': EVIL, authorization: EVIL });
  for (let i = 0; i < 3; i += 1) await plant('/keyed/a', { 'x-api-key': KEY, 'x-evil': EVIL });
  const order = { method: 'PUT', headers: { 'content-type': 'application/json' } };
  const target = new URL(upstream.url).host;
  const body = JSON.stringify({ force: true, reason: EVIL });
  await call(`${gateway.adminUrl}/upstreams/it/targets/${target}/ejection`, { ...order, body });
  const route = (id: string, template: string): object => ({
    id,
    match: { path: '/later', headers: { [id]: EVIL } },
    upstream: 'it',
    policies: { authentication: 'public', transform: { request: { setHeaders: { 'x-evil': template } } } },
  });
  expect((await reload(gateway, configOf([route('later', EVIL)]))).outcome).toBe('reloaded');
  // Refused, with what it says in the fault.
  const text = JSON.stringify(configOf([route('bad', `{request.nothing${EVIL}}`)]));
  const reloads = gateway.gateway.app.get(Reloads);
  const refused = await reloads.inTurn((now) => now({ trigger: EVIL, earlier: { generation: 9, text } }));
  expect(refused.faults.length).toBe(1);
  opened = await browser.open(`${gateway.adminUrl}/console/`);
}, LIMIT_MS);
afterAll(async () => {
  await opened?.close();
  await gateway?.stop();
  await upstream?.stop();
});

const encoded = encodeURIComponent(EVIL);

it.each([
  ['the overview', ''],
  ['the overview, with a selection', `?select=${encoded}`],
  ['routes, filtered', `routes?q=${encoded}&sort=${encoded}&group=${encoded}`],
  ['a route', 'routes/keyed'],
  ['refusals of a route', 'routes/keyed?tab=refused'],
  ['policies of a route', 'routes/keyed?tab=policies'],
  ['no route', `routes/${encoded}`],
  ['an upstream', 'upstreams/it'],
  ['no upstream', `upstreams/${encoded}`],
  ['operations', `graphql?q=${encoded}`],
  ['limits', 'limits'],
  ['the client', `clients/${encoded}`],
  ['requests', 'requests'],
  ['requests, filtered', `requests?q=${encoded}&client=${encoded}`],
  ['no request', `requests/${encoded}`],
  ['the configuration', 'config'],
  ['a generation', 'config/2?against=1'],
  ['changes', 'changes'],
  ['explain', `explain?request=${encoded}&as=${encoded}`],
  ['access', 'access'],
  ['the process', 'process'],
  ['nothing', encoded],
])(
  'shows texts of clients, services and files as texts: %s',
  async (_what, path) => {
    const { page } = opened;
    await page.goto(`${gateway.adminUrl}/console/${path}`);
    await page.locator('main h1, main h2').first().waitFor();
    await page.locator('main:not(:has(.loading))').waitFor();
    expect(await page.evaluate('[typeof pwned, document.scripts.length]')).toEqual(['undefined', 1]);
    expect(await page.locator('img[src="x"], svg[onload], [onerror]').count()).toBe(0);
    expect(await page.locator('a[href^="javascript:" i], a[href*="//evil"]').count()).toBe(0);
  },
  LIMIT_MS,
);

it.each(['upstreams/it', 'changes', 'limits', 'config', 'access', 'requests'])(
  'has been shown what was planted: %s',
  async (path) => {
    const { page } = opened;
    await page.goto(`${gateway.adminUrl}/console/${path}`);
    await page.getByText('onerror=pwned=1').first().waitFor({ state: 'attached' });
  },
  LIMIT_MS,
);

it('has had the page ask nobody else, and has met its policy nowhere', () => {
  const { asked, complaints } = opened;
  expect(asked.filter((url) => !url.startsWith(gateway.adminUrl))).toEqual([]);
  // What is not there is answered with 404, which the browser tells.
  expect(complaints.filter((one) => !/status of 40[04]/.test(one))).toEqual([]);
});
