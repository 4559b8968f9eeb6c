import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { useBrowser, type TestPage } from '../support/browser.ts';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { reload } from '../support/reload.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

// A browser beside all other tests takes its time now and then.
jest.retryTimes(2);

const LIMIT_MS = 60_000;
const SLOW_MS = 120;
const MOST_CLICKS = 4;
const open = { authentication: 'public' };
const browser = useBrowser();
let upstreams: TestUpstream[];
let gateway: TestGateway;
let opened: TestPage;
let clicks: number;

function configOf(more: readonly object[] = []): object {
  const [one, two, slow] = upstreams.map(({ url }) => url);
  return {
    version: 1,
    upstreams: {
      pair: { targets: [one, { url: two, labels: { track: 'canary' } }] },
      late: { targets: [slow] },
    },
    routes: [
      { id: 'quick', match: { path: '/quick' }, upstream: 'pair', policies: open },
      { id: 'slow', match: { path: '/slow' }, upstream: 'late', policies: open },
      {
        id: 'bounded',
        match: { path: '/bounded' },
        upstream: 'pair',
        policies: { ...open, rateLimit: { key: 'ip', rate: 1, per: '1h', burst: 1 } },
      },
      {
        id: 'rolled',
        match: { path: '/rolled' },
        upstream: 'pair',
        policies: open,
        canary: {
          to: { track: 'canary' },
          steps: [
            { weight: '10%', for: '1h' },
            { weight: '50%', for: '1h' },
          ],
        },
      },
      ...more,
    ],
  };
}

beforeAll(async () => {
  const quick = Array.from({ length: 2 }, () => startUpstream());
  const slow = startUpstream((_request, response) => {
    setTimeout(() => response.end('late'), SLOW_MS);
  });
  upstreams = await Promise.all([...quick, slow]);
  gateway = await startGateway({ config: JSON.stringify(configOf()) });
}, LIMIT_MS);
afterAll(async () => {
  await gateway?.stop();
  await Promise.all((upstreams ?? []).map((one) => one.stop()));
});
beforeEach(() => {
  clicks = 0;
});

/** Asks the gateway so often. */
async function ask(path: string, times: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < times; i += 1) statuses.push((await call(gateway.url + path)).status);
  return statuses;
}

/** Begins where browsers are led: nothing is known of this gateway yet. */
async function begin(): Promise<Page> {
  opened = await browser.open(gateway.adminUrl);
  await opened.page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  return opened.page;
}

/** A click, of which a journey may take four. */
async function click(
  page: Page,
  role: 'link' | 'button',
  name: string | RegExp,
  within = 'body',
): Promise<void> {
  clicks += 1;
  await page.locator(within).getByRole(role, { name }).first().click();
}

const shows = (page: Page, text: string | RegExp): Promise<void> => page.getByText(text).first().waitFor();

/** What holds of every journey. */
async function end({ page, asked, complaints, close }: TestPage): Promise<void> {
  expect(clicks).toBeLessThanOrEqual(MOST_CLICKS);
  expect(complaints).toEqual([]);
  expect(asked.filter((url) => !url.startsWith(gateway.adminUrl))).toEqual([]);
  expect(await page.title()).toMatch(/ · Gatehouse$/);
  await close();
}

describe('the console', () => {
  it(
    'finds the slow route',
    async () => {
      await ask('/quick', 20);
      await ask('/slow', 12);
      const page = await begin();
      const slowest = page.getByRole('region', { name: 'Slowest' });
      const first = slowest.locator('tbody tr').first();
      await first.getByRole('link', { name: 'slow' }).waitFor();
      clicks += 1;
      await first.getByRole('link').click();
      await page.getByRole('heading', { name: 'slow', level: 1 }).waitFor();
      await shows(page, 'Where the time goes');
      const p95 = await page.locator('.figures > div', { hasText: 'p95' }).locator('dd').innerText();
      expect(Number.parseFloat(p95)).toBeGreaterThan(SLOW_MS / 2);
      await end(opened);
    },
    LIMIT_MS,
  );

  it(
    'tells why a request was denied',
    async () => {
      expect((await ask('/bounded', 4)).at(-1)).toBe(429);
      const page = await begin();
      const refused = page.getByRole('region', { name: 'Refused' });
      clicks += 1;
      await refused.getByRole('link', { name: 'bounded' }).click();
      await click(page, 'link', /GET \/bounded/);
      await shows(page, /rate-limited|rateLimit/);
      await shows(page, /gateway\.yaml:\d+:\d+/);
      await shows(page, /"route":"bounded"/);
      await click(page, 'link', 'Explain', 'main');
      await page.getByRole('heading', { name: 'What would come of it' }).waitFor();
      await end(opened);
    },
    LIMIT_MS,
  );

  it(
    'takes a target out, and brings it back',
    async () => {
      await ask('/quick', 4);
      const page = await begin();
      await click(page, 'link', 'Upstreams', 'nav');
      await click(page, 'link', 'pair');
      await click(page, 'button', 'Eject', 'tbody');
      await shows(page, '1 of 2 targets are left, with 50\u202f% of the weight.');
      await click(page, 'button', 'Eject', 'dialog');
      await shows(page, 'not available');
      const before = upstreams.map(({ requests }) => requests.length);
      await ask('/quick', 6);
      expect(upstreams.map(({ requests }, i) => requests.length - (before[i] ?? 0)).toSorted()).toEqual([
        0, 0, 6,
      ]);
      expect(clicks).toBe(MOST_CLICKS);
      clicks = 2;
      await click(page, 'button', 'Restore');
      await click(page, 'button', 'Restore', 'dialog');
      await page.getByText('not available').waitFor({ state: 'detached' });
      await end(opened);
    },
    LIMIT_MS,
  );

  it(
    'promotes a canary',
    async () => {
      const page = await begin();
      await click(page, 'link', 'Canaries', 'nav');
      await click(page, 'link', 'rolled', 'main');
      await click(page, 'button', 'Promote');
      await shows(page, /All requests of this route go to the canary/);
      await click(page, 'button', 'Promote', 'dialog');
      await shows(page, 'The canary of rolled is promoted.');
      const before = upstreams[1]?.requests.length ?? 0;
      await ask('/rolled', 5);
      expect((upstreams[1]?.requests.length ?? 0) - before).toBe(5);
      await end(opened);
    },
    LIMIT_MS,
  );

  it(
    'undoes a bad reload',
    async () => {
      const bad = {
        id: 'bad',
        match: { path: '/quick', methods: ['GET'] },
        respond: { status: 503 },
        policies: open,
      };
      await reload(gateway, configOf([bad]));
      expect(await ask('/quick', 1)).toEqual([503]);
      const page = await begin();
      await click(page, 'link', 'Configuration', 'nav');
      await click(page, 'button', 'Roll back');
      await shows(page, /The file stays as it is/);
      await click(page, 'button', 'Roll back', 'dialog');
      await shows(page, /is in force again/);
      await sleep(50);
      expect(await ask('/quick', 1)).toEqual([200]);
      await end(opened);
    },
    LIMIT_MS,
  );
});
