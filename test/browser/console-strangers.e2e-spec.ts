import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Page } from 'playwright-core';
import { useBrowser } from '../support/browser.ts';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { bearer, useOperators, type Operators } from '../support/operators.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

// A browser beside all other tests takes its time now and then.
jest.retryTimes(2);

const LIMIT_MS = 60_000;
const browser = useBrowser();
let upstream: TestUpstream;

beforeAll(async () => {
  upstream = await startUpstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>evil</title><p>evil');
  });
});
afterAll(() => upstream?.stop());

/** What a page of a service does, in the browser of an operator: same host, another port, so that cookies come along. */
const ATTACK = `async (admin) => {
  const form = (action, enctype) => new Promise((done) => {
    const frame = document.createElement('iframe');
    frame.name = 'f' + Math.random();
    document.body.append(frame);
    const form = document.createElement('form');
    Object.assign(form, { method: 'post', action, enctype, target: frame.name });
    const field = document.createElement('input');
    Object.assign(field, { name: '{"a":"', value: '"}' });
    form.append(field);
    document.body.append(form);
    frame.onload = () => done(null);
    form.submit();
  });
  const settled = (promise) => promise.then(async (answer) => answer.type + ' ' + (await answer.text()), () => 'refused');
  const json = { 'content-type': 'application/json', 'x-gatehouse-admin': 'console' };
  const told = {};
  for (const path of ['/whoami', '/config', '/exchanges', '/traffic', '/metrics', '/support-bundle', '/openapi.json'])
    told[path] = await settled(fetch(admin + path, { credentials: 'include' }));
  told.blind = await settled(fetch(admin + '/config', { credentials: 'include', mode: 'no-cors' }));
  told.order = await settled(fetch(admin + '/config/reload', { method: 'POST', credentials: 'include', headers: json, body: '{}' }));
  for (const body of ['{}', ''])
    for (const type of ['text/plain', 'application/x-www-form-urlencoded'])
      for (const path of ['/config/reload', '/cache/purge', '/quotas/reset', '/session'])
        await fetch(admin + path, { method: 'POST', credentials: 'include', mode: 'no-cors', headers: { 'content-type': type }, body }).catch(() => null);
  navigator.sendBeacon(admin + '/config/reload', '{}');
  for (const enctype of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'])
    await form(admin + '/config/reload', enctype);
  told.stream = await new Promise((done) => {
    const source = new EventSource(admin + '/stream?view=overview', { withCredentials: true });
    source.onopen = () => done('open');
    source.onerror = () => done('refused');
  });
  told.script = await new Promise((done) => {
    const script = document.createElement('script');
    Object.assign(script, { src: admin + '/config', onload: () => done('loaded'), onerror: () => done('refused') });
    document.body.append(script);
  });
  return told;
}`;

async function attack(page: Page, gateway: TestGateway): Promise<Record<string, string>> {
  await page.goto(`${gateway.url}/evil`);
  return await page.evaluate<Record<string, string>>(`(${ATTACK})(${JSON.stringify(gateway.adminUrl)})`);
}

describe.each(['tokens', 'loopback alone'])('a page of a service, beside a console with %s', (by) => {
  let operators: Operators;
  let gateway: TestGateway;
  const headers = (): Record<string, string> =>
    by === 'tokens' ? { ...bearer(operators.tokens.admin) } : {};
  beforeAll(async () => {
    operators = useOperators();
    gateway = await startGateway({
      config: JSON.stringify({
        version: 1,
        upstreams: { it: { targets: [upstream.url] } },
        routes: [
          { id: 'all', match: { path: '/*' }, upstream: 'it', policies: { authentication: 'public' } },
        ],
      }),
      environment: by === 'tokens' ? operators.environment : {},
    });
  });
  afterAll(async () => {
    await gateway?.stop();
    operators?.remove();
  });

  async function enter(): Promise<{ page: Page; close(): Promise<void> }> {
    const opened = await browser.open(`${gateway.adminUrl}/console/`);
    if (by === 'tokens') {
      await opened.page.getByLabel('Token').fill(operators.tokens.admin);
      await opened.page.keyboard.press('Enter');
    }
    await opened.page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    return opened;
  }

  it(
    'reads nothing, gives no order, and gets no session',
    async () => {
      const { page, close } = await enter();
      const told = await attack(page, gateway);
      expect([...new Set(Object.values(told))]).toEqual(['refused']);
      const asked = await call(`${gateway.adminUrl}/config`, { headers: headers() });
      expect(asked.json()).not.toHaveProperty('lastReload');
      expect(upstream.requests.map((one) => one.headers.cookie ?? 'none')).not.toContainEqual(
        expect.stringContaining('gatehouse-admin'),
      );
      // The operator is still who he was.
      await page.goto(`${gateway.adminUrl}/console/`);
      await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
      await close();
    },
    LIMIT_MS,
  );

  it(
    'neither frames the console nor keeps a hand on one that it has opened',
    async () => {
      const { page, close } = await enter();
      await page.goto(`${gateway.url}/evil`);
      const frame = `(url) => new Promise((done) => {
        const frame = document.createElement('iframe');
        frame.src = url;
        frame.onload = () => done(null);
        document.body.append(frame);
      })`;
      await page.evaluate(`(${frame})(${JSON.stringify(`${gateway.adminUrl}/console/`)})`);
      const frames = page.frames().slice(1);
      expect(await Promise.all(frames.map((one) => one.locator('#console').count()))).toEqual([0]);
      const popup = page.waitForEvent('popup');
      await page.evaluate(`void (window.other = open(${JSON.stringify(`${gateway.adminUrl}/console/`)}))`);
      await (await popup).getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
      expect(await page.evaluate('window.other.closed')).toBe(true);
      await close();
    },
    LIMIT_MS,
  );
});
