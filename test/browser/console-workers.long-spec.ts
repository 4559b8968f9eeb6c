import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { useBrowser } from '../support/browser.ts';
import { BIN, ensureBuilt, startChild, type ChildGateway } from '../support/child.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';

// A browser beside all other tests takes its time now and then.
jest.retryTimes(2);

const LIMIT_MS = 120_000;
const browser = useBrowser();
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-console-'));
let redis: RedisServer;
let gateway: ChildGateway;

beforeAll(async () => {
  redis = await startRedis();
  const config = join(folder, 'gateway.yaml');
  const route = `{ id: said, match: { path: /said }, respond: { status: 200 }, policies: { authentication: public } }`;
  writeFileSync(config, `version: 1\nroutes:\n  - ${route}\n`);
  await ensureBuilt();
  // The build that tests make for themselves has no page.
  cpSync('dist/console/site', join(dirname(BIN), '../dist/console/site'), { recursive: true });
  gateway = await startChild(config, { WORKERS: '2', REDIS_URL: redis.url });
}, LIMIT_MS);
afterAll(async () => {
  await gateway?.end('SIGKILL');
  await redis?.stop();
  rmSync(folder, { recursive: true });
});

it(
  'says whose numbers are shown where several processes serve, and stays with the one that was chosen',
  async () => {
    const { page, asked, complaints, close } = await browser.open(`${gateway.adminUrl}/console/`);
    const workers = page.getByRole('region', { name: 'Workers' });
    await workers.getByText(/2 processes serve here.*those of worker 1 alone/).waitFor();
    await workers.getByRole('link', { name: '2', exact: true }).click();
    await workers.getByText('those of worker 2 alone').waitFor();
    const before = asked.length;
    await page.getByRole('navigation').getByRole('link', { name: 'Routes' }).click();
    await page.getByRole('link', { name: 'said', exact: true }).click();
    await page.getByRole('heading', { name: 'said', level: 1 }).waitFor();
    expect(page.url()).toMatch(/\/console\/routes\/said\?worker=2$/);
    const pages = asked.slice(before).filter((url) => /\/(?:traffic|stream)/.test(url));
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.filter((url) => !url.includes('worker=2'))).toEqual([]);
    expect(complaints).toEqual([]);
    await close();
  },
  LIMIT_MS,
);
