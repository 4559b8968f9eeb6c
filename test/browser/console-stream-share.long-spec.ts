import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { useBrowser } from '../support/browser.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

jest.retryTimes(2);
jest.setTimeout(60_000);

const SHARE = 16;
const browser = useBrowser();
let ended: AbortController;
let gateway: TestGateway;

beforeEach(async () => {
  ended = new AbortController();
  gateway = await startGateway({ config: 'version: 1\nroutes: []\n' });
}, 60_000);
afterEach(async () => {
  ended.abort();
  await gateway?.stop();
});

it('the console says why it has no live stream, and has one once there is a place', async () => {
  const { signal } = ended;
  const ask = () => fetch(`${gateway.adminUrl}/stream?view=process`, { signal });
  const streams = await Promise.all(Array.from({ length: SHARE }, ask));
  expect(streams.map(({ status }) => status)).toEqual(Array(SHARE).fill(200));
  const opened = await browser.open(`${gateway.adminUrl}/console/`);
  const banner = opened.page.getByRole('alert').filter({ hasText: 'The live stream could not be opened' });
  await banner.filter({ hasText: 'you have 16 streams already' }).waitFor();
  // Enough for all that a page follows.
  for (const { body } of streams.slice(0, 4)) await body?.cancel();
  await banner.waitFor({ state: 'detached', timeout: 30_000 });
  await opened.close();
});
