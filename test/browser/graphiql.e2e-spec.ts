import { describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { useBrowser } from '../support/browser.ts';
import { call } from '../support/client.ts';
import { startGateway } from '../support/gateway.ts';
import { notifyUntil } from '../support/notifications.ts';
import { shopConfig, useShop } from '../support/shop.ts';

const holder = useShop({});
const browser = useBrowser();
const address = (): string => `${holder.shop.gateway.url}/graphql`;
const HTML = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

/** Replaces the text of an editor by pasting. */
async function write(page: Page, editor: string, text: string): Promise<void> {
  await page.locator(`${editor} .view-lines:visible`).click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.evaluate(`navigator.clipboard.writeText(${JSON.stringify(text)})`);
  await page.keyboard.press('ControlOrMeta+V');
}

/** Runs what is in the editor, and waits for a text in the answer. */
async function run(page: Page, query: string, expected: string): Promise<void> {
  await write(page, '.graphiql-query-editor', query);
  await page.getByRole('button', { name: /^Execute query/ }).click();
  await shows(page, '.graphiql-response', expected);
}

const shows = (page: Page, place: string, text: string): Promise<void> =>
  page.locator(place, { hasText: text }).first().waitFor();

describe('GraphiQL', () => {
  it('runs a query and a subscription with the credential that somebody types in, and loads nothing from elsewhere', async () => {
    const { page, asked, complaints, close } = await browser.open(address(), {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await shows(page, '.graphiql-response', 'credentials-invalid');
    const refused = complaints.length;
    expect(complaints.join()).toMatch(/^(Failed to load resource: [^,]* 401 [^,]*,?)+$/);

    const token = await holder.shop.services.identity.token('user');
    await write(page, '.graphiql-editor-tool', JSON.stringify({ authorization: `Bearer ${token}` }));
    await page.getByRole('button', { name: /^Re-fetch GraphQL schema/ }).click();
    await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
    await shows(page, '.graphiql-doc-explorer', 'Query');
    await run(page, '{ homepage { user { name } } }', '"Bob User"');

    await run(page, 'subscription { notificationAdded { text } }', '');
    const heard = page.locator('.graphiql-response', { hasText: '"for the page"' });
    let seen = false;
    void heard.waitFor().then(() => (seen = true));
    await notifyUntil(holder.shop, '2', { id: '1', text: 'for the page' }, () => seen);
    await page.getByRole('button', { name: /^Stop query/ }).click();

    expect(complaints).toHaveLength(refused);
    expect(asked.filter((url) => !/^(blob:|data:)/.test(url) && !url.startsWith(address()))).toEqual([]);
    expect(await page.evaluate('JSON.stringify(localStorage)')).not.toContain(token);
    await close();
  }, 60_000);

  it('is shown to whoever would rather see a page, and to nobody else', async () => {
    const page = await call(address(), { headers: HTML });
    expect(page.status).toBe(200);
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
      vary: 'accept',
    });
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-[\w+/]+='; worker-src blob:; /);
    expect(policy).toContain(
      "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(await holder.shop.lineOf(page)).toMatchObject({ route: 'graphql', status: 200 });
    const known = await call(address(), { headers: { ...HTML, 'if-none-match': page.headers.etag } });
    expect([known.status, known.text]).toEqual([304, '']);
    for (const headers of [{}, { accept: '*/*' }, { accept: 'application/json, text/html' }]) {
      const answer = await call(address(), { headers });
      expect([answer.status, answer.json()['code']]).toEqual([401, 'credentials-missing']);
    }
    const posted = await call(address(), { method: 'POST', headers: HTML });
    expect(posted.status).toBe(401);
  });

  it.each([
    ['in production', { NODE_ENV: 'production' }, {}],
    ['where the configuration says so', { NODE_ENV: 'test' }, { graphql: { graphiql: false } }],
    ['in production, even if asked for', { NODE_ENV: 'production' }, { graphql: { graphiql: true } }],
  ])('is not there %s', async (_where, environment, more) => {
    const config = JSON.stringify(shopConfig(holder.shop.services, holder.shop.echo, { more }));
    const gateway = await startGateway({ config, environment });
    const answer = await call(`${gateway.url}/graphql`, { headers: HTML });
    expect([answer.status, answer.headers['content-type']]).toEqual([401, 'application/problem+json']);
    const authorization = `Bearer ${await holder.shop.services.identity.token('user')}`;
    const html = await call(`${gateway.url}/graphql`, { headers: { accept: 'text/html', authorization } });
    expect(html.status).toBe(406);
    await gateway.stop();
  });
});
