import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useBrowser } from '../support/browser.ts';
import { certificate } from '../support/certificates.ts';
import { useShop } from '../support/shop.ts';

// A browser beside all other tests takes its time now and then.
jest.retryTimes(2);

const LIMIT_MS = 60_000;
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-console-'));
const [cert, key] = [join(folder, 'short.pem'), join(folder, 'short.key')];
const short = certificate({ name: 'short', hosts: ['localhost'], fromDay: -30, toDay: 3.5 });
writeFileSync(cert, short.cert);
writeFileSync(key, short.key);

const browser = useBrowser();
const holder = useShop({
  more: { listeners: [{ port: 0 }, { port: 0, tls: { certificates: [{ cert, key }] } }] },
});
const query = 'query Screen { homepage { user { name } notifications { unread } } }';

async function ask(body: object): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const call = { method: 'POST', as: 'user', headers, body: JSON.stringify(body) } as const;
  return (await holder.shop.call('/graphql', call)).status;
}

beforeAll(async () => {
  await holder.shop.warm();
  for (let i = 0; i < 5; i += 1) expect(await ask({ query })).toBe(200);
}, LIMIT_MS);
afterAll(() => rmSync(folder, { recursive: true }));

describe('the console of a gateway with GraphQL', () => {
  it(
    'leads from the operation that costs most to what a run of it has done, and when',
    async () => {
      const { page, complaints, close } = await browser.open(`${holder.shop.gateway.adminUrl}/console/`);
      await page.getByRole('navigation').getByRole('link', { name: 'GraphQL' }).click();
      const operations = page.getByRole('table', { name: 'GraphQL operations' });
      await operations.getByRole('link', { name: 'Screen' }).click();
      await page.getByRole('heading', { name: 'Screen', level: 1 }).waitFor();
      const bars = page.getByRole('region', { name: 'What the run has done' });
      await bars.getByRole('rowheader', { name: /Homepage\.user|homepage\.user/i }).waitFor();
      // Sections of one view begin together, under the operation that has asked for it.
      const shown = await bars.getByRole('rowheader').allInnerTexts();
      expect(shown.join('\n')).toMatch(/^query\s+operation$/m);
      expect(await bars.locator('td.when .track i').count()).toBe(shown.length);
      const inside = await bars
        .locator('td.when .track i')
        .evaluateAll((all) =>
          all.every((one) => Number.parseFloat(one.style.left) + Number.parseFloat(one.style.width) <= 100.1),
        );
      expect(inside).toBe(true);
      await page.getByRole('link', { name: 'Open the request' }).click();
      await page.getByText('/graphql').first().waitFor();
      expect(complaints).toEqual([]);
      await close();
    },
    LIMIT_MS,
  );

  it(
    'shows the sections of a view, each with its own numbers',
    async () => {
      const { page, close } = await browser.open(`${holder.shop.gateway.adminUrl}/console/graphql`);
      const views = page.getByRole('table', { name: 'Views and aggregates' });
      await views.getByRole('link').first().click();
      const sections = page.getByRole('table', { name: /^Sections of / });
      await sections.getByRole('row').nth(2).waitFor();
      const rates = await sections.locator('tbody tr').allInnerTexts();
      expect(rates.some((text) => /^user\b/.test(text.trim()))).toBe(true);
      await close();
    },
    LIMIT_MS,
  );

  it(
    'tells that a certificate ends soon, and leads to the configuration',
    async () => {
      const { page, close } = await browser.open(`${holder.shop.gateway.adminUrl}/console/`);
      const trouble = page.getByRole('region', { name: 'Trouble' });
      await trouble.getByText('certificate', { exact: true }).waitFor();
      await trouble.getByRole('link', { name: /short\.pem of .* ends in 3 days/ }).click();
      await page.getByRole('heading', { name: 'Configuration', level: 1 }).waitFor();
      await close();
    },
    LIMIT_MS,
  );
});
