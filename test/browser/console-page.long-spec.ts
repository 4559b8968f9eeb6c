import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { FastifyInstance } from 'fastify';
import type { Page } from 'playwright-core';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { useBrowser } from '../support/browser.ts';
import { sampleListener } from './console/sample-listener.ts';

// A browser beside all other tests takes its time now and then.
jest.retryTimes(2);

const LIMIT_MS = 240_000;
const MANY = 10_000;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PAGES = [
  '',
  '?select=u%3Apayments',
  'routes',
  'routes?group=prefix',
  'routes/users',
  'routes/users?tab=refused',
  'routes/users?tab=policies',
  'routes/nobody',
  'upstreams',
  'upstreams/payments',
  'graphql',
  'graphql/Homepage',
  'views/homepage',
  'limits',
  'limits?show=limited',
  'clients/user%3Ajwt%3A%3Aann1',
  'requests',
  'requests/0198f0c2-7a41-7d10-b1c7-4000000000',
  'canaries',
  'canaries/users',
  'config',
  'config/4?against=3',
  'explain',
  'explain?request=GET+%2Fapi%2Fv1%2Fusers%2F1',
  'access',
  'changes',
  'process',
  'nowhere',
];
/** What is shown only once somebody has asked for it: on a page, by a button. */
const OPENED = [
  ['upstreams/payments', 'Eject'],
  ['upstreams/payments', 'Weight'],
  ['upstreams/payments', 'Close breaker'],
  ['upstreams/users', 'Open breaker'],
  ['limits', 'Who uses'],
  ['canaries/users', 'Promote'],
  ['config', 'Roll back'],
  ['access', 'Revoke'],
  ['process', 'Restart one after the other'],
] as const;
const browser = useBrowser();
let servers: FastifyInstance[];
let [few, many] = ['', ''];

beforeAll(async () => {
  servers = [sampleListener(14), sampleListener(MANY)];
  [few = '', many = ''] = await Promise.all(
    servers.map(async (one) => `${await one.listen({ port: 0, host: '127.0.0.1' })}/console/`),
  );
});
afterAll(() => Promise.all(servers.map((one) => one.close())));

async function faultsOf(page: Page, where: string): Promise<readonly string[]> {
  await page.evaluate(AXE);
  const found = await page.evaluate<string[]>(
    `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))`,
  );
  return found.map((one) => `${where}: ${one}`);
}

async function show(page: Page, path: string): Promise<void> {
  await page.goto(few + path);
  await page.locator('main h1').waitFor();
  await page.locator('main:not(:has(.loading))').waitFor();
}

describe('the page of the console', () => {
  it.each(['light', 'dark'] as const)(
    'has nothing that axe finds fault with, in %s',
    async (colorScheme) => {
      // The policy of the page keeps out what a test puts in, and so is off for the test alone.
      const opened = await browser.open(few, { colorScheme, bypassCSP: true });
      const faults: string[] = [];
      for (const path of PAGES) {
        await show(opened.page, path);
        faults.push(...(await faultsOf(opened.page, path)));
      }
      await show(opened.page, '');
      await opened.page.keyboard.press('t');
      await opened.page.getByRole('treegrid').waitFor();
      faults.push(...(await faultsOf(opened.page, 'tables')));
      await opened.page.keyboard.press('?');
      faults.push(...(await faultsOf(opened.page, 'keys')));
      for (const [path, name] of OPENED) {
        await show(opened.page, path);
        await opened.page.getByRole('button', { name }).first().click();
        faults.push(...(await faultsOf(opened.page, `${path} ${name}`)));
      }
      // A narrow one, as of a telephone.
      await opened.page.setViewportSize({ width: 390, height: 800 });
      for (const path of ['', 'routes', 'upstreams/payments', 'limits']) {
        await show(opened.page, path);
        faults.push(...(await faultsOf(opened.page, `narrow ${path}`)));
      }
      expect(faults).toEqual([]);
      await opened.close();
    },
    LIMIT_MS,
  );

  it(
    'runs under its policy, asks no other host, and has no page without a name',
    async () => {
      const { page, asked, complaints, close } = await browser.open(few);
      for (const path of PAGES) {
        await page.goto(few + path);
        await page.locator('main h1').waitFor();
      }
      // One page is of a route that there is not.
      expect(complaints.filter((one) => !one.includes('status of 404'))).toEqual([]);
      expect(asked.filter((url) => !url.startsWith(new URL(few).origin))).toEqual([]);
      await close();
    },
    LIMIT_MS,
  );

  it(
    'finds, sorts and pages ten thousand routes, with all of it in the address',
    async () => {
      const { page, close } = await browser.open(`${many}routes?sort=-p95`);
      await page.getByText('1–100 of 10\u202f000 routes').waitFor();
      expect(await page.locator('tbody tr').count()).toBe(100);
      await page.getByRole('link', { name: 'Next' }).click();
      await page.getByText('101–200 of 10\u202f000 routes').waitFor();
      expect(page.url()).toContain('from=100');
      await page.getByRole('searchbox').fill('payments-v77');
      await page.getByText(/of 11 routes/).waitFor();
      expect(page.url()).toMatch(/q=payments-v77/);
      await page.getByRole('link', { name: 'payments-v77', exact: true }).click();
      await page.getByRole('heading', { name: 'payments-v77', level: 1 }).waitFor();
      await page.goBack();
      await page.getByText(/of 11 routes/).waitFor();
      await close();
    },
    LIMIT_MS,
  );

  it(
    'is led by keys: search, tables, rows',
    async () => {
      const { page, close } = await browser.open(few);
      await page.getByRole('heading', { name: 'Trouble' }).waitFor();
      await page.keyboard.press('t');
      await page.getByRole('treegrid').waitFor();
      await page.keyboard.press('/');
      await page.keyboard.type('catalog-v2');
      await page.getByRole('option', { name: /catalog-v2/ }).waitFor();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'catalog-v2', level: 1 }).waitFor();
      await page.keyboard.press('g');
      await page.keyboard.press('r');
      await page.getByRole('heading', { name: 'Routes', level: 1 }).waitFor();
      const first = page.locator('tbody tr').first().getByRole('link').first();
      await first.focus();
      await page.keyboard.press('ArrowDown');
      const second = page.locator('tbody tr').nth(1).getByRole('link').first();
      expect(await page.evaluate('document.activeElement.textContent')).toBe(await second.textContent());
      await close();
    },
    LIMIT_MS,
  );
});
