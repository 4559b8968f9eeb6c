import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Page } from 'playwright-core';
import { useBrowser } from '../support/browser.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

// A browser beside all other tests takes its time now and then.
jest.retryTimes(1);

const LIMIT_MS = 240_000;
const ROUTES = 10_000;
const UPSTREAMS = 500;
const browser = useBrowser();
let upstream: TestUpstream;
let gateway: TestGateway;

const nameOf = (i: number): string => `team-${i % 100}-feature-${i}`;
const pathOf = (i: number): string => `/api/team-${i % 100}/feature-${i}`;

beforeAll(async () => {
  upstream = await startUpstream((request, response) => {
    response.writeHead(request.url?.endsWith('77') === true ? 503 : 200).end('fine');
  });
  const names = Array.from({ length: UPSTREAMS }, (_, i) => `service-${i}`);
  gateway = await startGateway({
    config: JSON.stringify({
      version: 1,
      floodLimit: 'off',
      defaults: { policies: { authentication: 'public' } },
      upstreams: Object.fromEntries(names.map((name) => [name, { targets: [upstream.url] }])),
      routes: Array.from({ length: ROUTES }, (_, i) => ({
        id: nameOf(i),
        match: { path: pathOf(i) },
        upstream: names[i % UPSTREAMS],
      })),
    }),
  });
  await load(0, 2000);
}, LIMIT_MS);
afterAll(async () => {
  await gateway?.stop();
  await upstream?.stop();
});

/** Asks so many routes, some at once. */
async function load(from: number, count: number): Promise<void> {
  let next = from;
  const one = async (): Promise<void> => {
    while (next < from + count) await (await fetch(gateway.url + pathOf(next++))).arrayBuffer();
  };
  await Promise.all(Array.from({ length: 8 }, one));
}

interface Use {
  readonly heapMB: number;
  readonly nodes: number;
}

async function useOf(page: Page): Promise<Use> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  for (let i = 0; i < 2; i += 1) await session.send('HeapProfiler.collectGarbage');
  const { metrics } = await session.send('Performance.getMetrics');
  await session.detach();
  const value = (name: string): number => metrics.find((one) => one.name === name)?.value ?? 0;
  return { heapMB: value('JSHeapUsedSize') / 1e6, nodes: value('Nodes') };
}

async function show(page: Page, path: string): Promise<void> {
  await page.goto(`${gateway.adminUrl}/console/${path}`);
  await page.locator('main h1').waitFor();
  await page.locator('main:not(:has(.loading))').waitFor();
}

describe('the console of ten thousand routes of a gateway', () => {
  it(
    'shows every page with a bounded number of elements, in little memory',
    async () => {
      const { page, complaints, close } = await browser.open(`${gateway.adminUrl}/console/`);
      const route = `routes/${nameOf(77)}`;
      const upstreams = ['upstreams', 'upstreams/service-77'];
      for (const path of ['', 'routes', 'routes?group=prefix', route, ...upstreams, 'requests', 'config']) {
        await show(page, path);
        const { nodes, heapMB } = await useOf(page);
        expect([path, nodes < 8000, heapMB < 25]).toEqual([path, true, true]);
      }
      expect(complaints).toEqual([]);
      await close();
    },
    LIMIT_MS,
  );

  it(
    'finds one of them by the search, by the filter, and page by page',
    async () => {
      const { page, close } = await browser.open(`${gateway.adminUrl}/console/routes?sort=path`);
      await page.getByText(/^1–100 of 10.0\d\d routes/).waitFor();
      await page.mouse.wheel(0, 6000);
      await page.getByRole('link', { name: 'Next' }).click();
      await page.getByText(/^101–200 of 10.0\d\d routes/).waitFor();
      await page.getByRole('searchbox').fill('feature-9077');
      await page.getByText(/1–1 of 1 route/).waitFor();
      await page.keyboard.press('Escape');
      await page.locator('#search').fill('service-499');
      await page.getByRole('option', { name: /service-499.*upstream/ }).waitFor();
      await page.locator('#search').fill(nameOf(9077));
      await page.getByRole('option', { name: new RegExp(nameOf(9077)) }).waitFor();
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: nameOf(9077), level: 1 }).waitFor();
      await close();
    },
    LIMIT_MS,
  );

  it(
    'keeps nothing of the pages that were shown before',
    async () => {
      const { page, close } = await browser.open(`${gateway.adminUrl}/console/`);
      const walk = async (): Promise<void> => {
        for (const name of ['Routes', 'Upstreams', 'Limits', 'Overview']) {
          await page
            .getByRole('navigation')
            .getByRole('link', { name, exact: name !== 'Overview' })
            .click();
          await page.locator('main h1').waitFor();
          await page.locator('main:not(:has(.loading))').waitFor();
        }
      };
      for (let turn = 0; turn < 3; turn += 1) await walk();
      const before = await useOf(page);
      for (let turn = 0; turn < 15; turn += 1) await walk();
      const after = await useOf(page);
      expect(after.nodes).toBeLessThan(before.nodes * 2);
      expect(after.heapMB).toBeLessThan(before.heapMB * 2);
      await close();
    },
    LIMIT_MS,
  );
});
