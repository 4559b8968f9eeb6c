import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { readPageConfig } from '../../examples/page/page-config.ts';
import { startPage } from '../../examples/page/page-service.ts';
import type { HttpService } from '../../examples/services/http-service.ts';
import { useBrowser, type PageOptions, type TestPage } from '../support/browser.ts';
import { call } from '../support/client.ts';
import { startShop, type Shop } from '../support/shop.ts';

// A browser beside all other tests takes its time now and then.
jest.retryTimes(3);

const LIMIT_MS = 60_000;
const TRIES = 5;
const FACES = ['#rest', '#graphql'];
const calm = { circuitBreaker: 'off', retry: { attempts: 1 } };
const browser = useBrowser();
let files: HttpService;
let shop: Shop;

// What the demo serves: the same page, the same routes, other ports.
beforeAll(async () => {
  files = await startPage();
  const { routes } = await readPageConfig();
  shop = await startShop({
    routes,
    upstreams: (services) => ({
      users: { targets: [services['users-1'].url, services['users-2'].url], ...calm },
      feed: { targets: [services.feed.url], ...calm },
      notifications: { protocol: 'grpc', targets: [services.notifications.url], ...calm },
      page: { targets: [files.url] },
      reports: { targets: [files.url] },
      identity: { targets: [services.identity.url] },
      control: { targets: [services.control.url] },
    }),
  });
  // A gRPC channel takes a moment to find its target.
  while ((await shop.call('/api/homepage', { as: 'user' })).text.includes('"degraded"')) await sleep(20);
});
afterAll(async () => {
  await shop.stop();
  await files.stop();
});
afterEach(async () => {
  for (const name of ['users-1', 'users-2', 'feed', 'notifications'] as const)
    await shop.services[name].fault('none');
});

const address = (): string => `${shop.gateway.url}/demo/homepage.html`;

async function openHomepage(options?: PageOptions): Promise<TestPage> {
  const opened = await browser.open(address(), options);
  await verdict(opened.page, 'Both faces say the same');
  return opened;
}

/** Waits for what the page says of both; on a busy machine one side may be degraded where the other is not, which is over next time. */
async function verdict(page: Page, text: string): Promise<void> {
  const shown = page.locator('#verdict', { hasText: text });
  for (let tries = 0; tries < TRIES; tries += 1) {
    const came = await shown.waitFor({ timeout: LIMIT_MS / (2 * TRIES) }).then(
      () => true,
      () => false,
    );
    if (came) return;
    await page.getByRole('button', { name: 'Refresh' }).click();
  }
  await shown.waitFor();
}

/** Waits until both panels show a text. */
async function bothShow(page: Page, text: string): Promise<void> {
  for (const face of FACES) await page.locator(`${face} .content`, { hasText: text }).waitFor();
}

/** What a panel shows, as a reader would see it. */
const contents = (page: Page): Promise<string[]> =>
  Promise.all(FACES.map((face) => page.locator(`${face} .content`).innerText()));

describe('the page with both faces', () => {
  it('comes through the gateway, and allows nothing but what it brings', async () => {
    const answer = await call(address());
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    const policy = String(answer.headers['content-security-policy']);
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; /);
    expect(answer.text).not.toMatch(/https?:|<style|\s(style|on\w+)=/);
    expect((await call(`${shop.gateway.url}/demo/gateway.yaml`)).status).toBe(404);
  });

  it(
    'shows the same homepage over REST and GraphQL, and loads nothing from elsewhere',
    async () => {
      const { page, asked, complaints, close } = await openHomepage();
      await bothShow(page, 'Bob User');
      const [rest, graphql] = await contents(page);
      expect(rest).toBe(graphql);
      expect(rest).toContain('Ten gates of old Lisbon, part 4');
      expect(rest).toContain('7 unread');
      for (const face of FACES)
        expect(await page.locator(`${face} .outcome`).innerText()).toMatch(/^200 · \d+ ms$/);

      await page.getByLabel('Signed in as').selectOption('guest');
      await bothShow(page, 'Eve Guest');
      expect(complaints).toEqual([]);
      expect(asked.filter((url) => !url.startsWith(`${shop.gateway.url}/`) && url !== 'data:,')).toEqual([]);
      expect(asked.some((url) => url.endsWith('/api/homepage'))).toBe(true);
      expect(asked.some((url) => url.endsWith('/graphql'))).toBe(true);
      await close();
    },
    LIMIT_MS,
  );

  it(
    'names on both sides what is degraded when a service dies, and forgets it when it is back',
    async () => {
      const { page, close } = await openHomepage({ colorScheme: 'dark' });
      await shop.services.feed.fault('dead');
      await page.getByRole('button', { name: 'Refresh' }).click();
      await bothShow(page, 'feed is degraded: a fallback stands in upstream-unreachable');
      const [rest, graphql] = await contents(page);
      expect(rest).toBe(graphql);
      expect(rest).toContain('Bob User');
      expect(await page.getByRole('switch', { name: 'feed' }).isChecked()).toBe(false);

      await page.getByRole('switch', { name: 'feed' }).check();
      await bothShow(page, 'Ten gates of old Lisbon');
      expect((await contents(page)).join()).not.toContain('is degraded');
      await close();
    },
    LIMIT_MS,
  );

  it(
    'says on both sides why there is no page when a service that it needs is switched off',
    async () => {
      const { page, close } = await openHomepage();
      await page.getByRole('switch', { name: 'users' }).uncheck();
      await bothShow(page, 'user: The upstream cannot be reached upstream-unreachable');
      await verdict(page, 'Both faces say the same');
      expect(await page.locator('#rest .outcome').innerText()).toMatch(/^502 /);
      expect(await page.locator('#graphql .outcome').innerText()).toMatch(/^200 /);
      expect(shop.services['users-2'].mode).toBe('dead');
      await close();
    },
    LIMIT_MS,
  );

  it(
    'hears of notifications as they come, on a small screen as well',
    async () => {
      const { page, close } = await openHomepage({
        viewport: { width: 380, height: 800 },
        colorScheme: 'dark',
      });
      const { notifications } = shop.services;
      const hears = async (text: string): Promise<void> => {
        while (notifications.watchers === 0) await sleep(5);
        notifications.notify('2', text);
        await page.getByRole('log').getByText(text).waitFor();
      };
      await hears('Your parcel is here');
      expect(await page.getByRole('log').innerText()).toContain('8 unread');
      await notifications.fault('dead');
      await page.locator('#live-state', { hasText: 'Not connected: upstream-unreachable' }).waitFor();
      await notifications.fault('none');
      await hears('Back again');
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(380);
      await close();
    },
    LIMIT_MS,
  );
});
