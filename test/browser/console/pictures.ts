/** `node test/browser/console/pictures.ts`: the pictures of docs/console.md, of the console with sample numbers. Look at them. */
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { findChromium } from '../../../scripts/chromium.ts';
import { sampleListener } from './sample-listener.ts';

const PICTURES = [
  ['console-overview', '', 900],
  ['console-route', 'routes/users', 900],
  ['console-upstream', 'upstreams/payments?target=10.0.5.10%3A8080', 760],
] as const;
const FOLDER = join(import.meta.dirname, '../../../docs/images');

const executablePath = findChromium();
if (executablePath === undefined) throw new Error('there is no chromium: node scripts/ensure-chromium.ts');
const server = sampleListener(14);
const address = await server.listen({ port: 0, host: '127.0.0.1' });
const browser = await chromium.launch({
  executablePath,
  args: ['--headless', '--no-sandbox', '--disable-gpu'],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: 'light' });
for (const [name, path, height] of PICTURES) {
  await page.setViewportSize({ width: 1280, height });
  await page.goto(`${address}/console/${path}`);
  await page.locator('main h1').waitFor();
  await page.locator('main:not(:has(.loading))').waitFor();
  // Curves are drawn once their place is known.
  await page.waitForTimeout(1500);
  await page.screenshot({ path: join(FOLDER, `${name}.png`) });
}
await browser.close();
await server.close();
