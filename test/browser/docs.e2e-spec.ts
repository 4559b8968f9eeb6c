import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { useBrowser } from '../support/browser.ts';
import { call } from '../support/client.ts';
import { LoginStage } from '../support/login.ts';
import { API_KEY, useShop } from '../support/shop.ts';

const holder = useShop({
  more: { floodLimit: 'off' },
  routes: [{ id: 'echo', match: { path: '/echo/*' }, upstream: 'echo', rewrite: { stripPrefix: '/echo' } }],
});
const browser = useBrowser();
const address = (): string => `${holder.shop.gateway.url}/docs`;

/** Opens the form of an operation. */
async function form(page: Page, id: string) {
  const article = page.locator(`article[id="${id}"]`);
  await article.locator('.try > summary').click();
  return article;
}

describe('the page of the API', () => {
  it('keeps to itself: nothing is asked elsewhere, and nothing runs that is not its own', async () => {
    const { page, asked, complaints, close } = await browser.open(address());
    await page.locator('article[id="orders.create"]').waitFor();
    expect(asked.filter((url) => !url.startsWith(holder.shop.gateway.url))).toEqual([]);
    expect(complaints).toEqual([]);
    const { headers } = await call(address());
    const policy = String(headers['content-security-policy']);
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';/);
    expect(policy).toContain("require-trusted-types-for 'script'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    await close();
  });

  it('is light or dark as the system is, or as somebody chooses', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, close } = await browser.open(address(), { colorScheme });
      await page.locator('article[id="orders.create"]').waitFor();
      const background = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
      const before = await background();
      expect(before).toBe(colorScheme === 'light' ? 'rgb(255, 255, 255)' : 'rgb(20, 23, 28)');
      await page.click('#theme');
      expect(await background()).not.toBe(before);
      await close();
    }
  });

  it('sends an operation with what is typed in, and keeps a credential nowhere', async () => {
    const { page, complaints, asked, close } = await browser.open(address());
    const list = await form(page, 'orders.list');
    await list.getByRole('button', { name: 'Send' }).click();
    await list.locator('.outcome', { hasText: '401' }).waitFor();
    await list.locator('.outcome', { hasText: 'credentials-missing' }).waitFor();

    const token = await holder.shop.services.identity.token('user');
    await page.locator('#access summary').click();
    await page.getByLabel('Token', { exact: true }).fill(token);
    const create = await form(page, 'orders.create');
    await create.locator('textarea').fill('{"items":[{"sku":"BOOK-1","quantity":1}]}');
    await create.getByRole('button', { name: 'Send' }).click();
    await create.locator('.outcome', { hasText: '201' }).waitFor();
    await list.getByLabel('query status').selectOption('pending');
    await list.getByRole('button', { name: 'Send' }).click();
    await list.locator('.outcome pre', { hasText: '"sku": "BOOK-1"' }).waitFor();
    expect(asked.at(-1)).toBe(`${holder.shop.gateway.url}/api/v1/orders?status=pending`);

    await page.getByLabel('Token', { exact: true }).fill('');
    await page.getByLabel('API key', { exact: true }).fill(API_KEY);
    const echo = await form(page, 'echo.get');
    await echo.getByLabel('path rest').fill('../docs');
    await echo.getByRole('button', { name: 'Send' }).click();
    await echo
      .locator('.outcome', { hasText: '".." cannot stand' })
      .or(echo.getByText('cannot stand for {rest}'))
      .first()
      .waitFor();
    await echo.getByLabel('path rest').fill('a b/c');
    await echo.getByLabel('query query').fill('q=1&q=2');
    await echo.getByRole('button', { name: 'Send' }).click();
    await echo.locator('.outcome pre', { hasText: '"url": "/a%20b/c?q=1&q=2"' }).waitFor();

    const kept = await page.evaluate<string>(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])',
    );
    expect(kept).not.toContain(token);
    expect(kept).not.toContain(API_KEY);
    // The one that was refused.
    expect(complaints.filter((text) => !/Failed to load resource: .* 401/.test(text))).toEqual([]);
    expect(asked.filter((url) => !url.startsWith(holder.shop.gateway.url))).toEqual([]);
    await close();
  }, 60_000);
});

describe('where browsers log in', () => {
  let stage: LoginStage;
  beforeAll(async () => {
    stage = await LoginStage.start({ store: 'cookie', isReached: true });
    stage.provider.user = undefined;
  });
  afterAll(() => stage?.stop());

  it('signs in with the session of the gateway, and shows who it is', async () => {
    const { page, complaints, close } = await browser.open(`${stage.at()}/docs`);
    await page.getByRole('link', { name: 'Log in' }).click();
    await page.getByRole('button', { name: 'Bob' }).click();
    await page.locator('#access', { hasText: 'Logged in as' }).waitFor();
    expect(page.url()).toBe(`${stage.at()}/docs`);
    const article = await form(page, 'api.get');
    await article.getByRole('button', { name: 'Send' }).click();
    await article.locator('.outcome p', { hasText: /^200 / }).waitFor();
    // The provider has no icon, and nobody was logged in at first.
    expect(complaints.filter((text) => !/Failed to load resource: .* 40[14]/.test(text))).toEqual([]);
    await close();
  }, 60_000);
});
