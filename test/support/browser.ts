import { afterAll, beforeAll } from '@jest/globals';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { findChromium } from '../../scripts/chromium.ts';

/** No sandbox, because CI runs as root; nothing that the browser does on its own account. */
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const WAIT_MS = 20_000;
const LAUNCH_MS = 60_000;

/** A page of a real browser, and everything about it that a user would not see. */
export interface TestPage {
  readonly page: Page;
  /** Every address that it asked for. */
  readonly asked: readonly string[];
  /** What it complained about: errors, and what its Content-Security-Policy refused. */
  readonly complaints: readonly string[];
  close(): Promise<void>;
}

/** How a page is opened. */
export type PageOptions = NonNullable<Parameters<Browser['newContext']>[0]>;

/** Starts a headless Chromium before the tests of a file and ends it after them. */
export function useBrowser(): { open(url: string, options?: PageOptions): Promise<TestPage> } {
  let browser: Browser;
  beforeAll(async () => {
    const executablePath = findChromium();
    if (executablePath === undefined)
      throw new Error('there is no chromium: node scripts/ensure-chromium.ts');
    browser = await chromium.launch({ executablePath, args: ARGS });
  }, LAUNCH_MS);
  afterAll(() => browser?.close());
  return {
    open: async (url, options) => {
      const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
      return openPage(context, url);
    },
  };
}

async function openPage(context: BrowserContext, url: string): Promise<TestPage> {
  // Shorter than the limit of a journey, so that it is told what was not there.
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  const asked: string[] = [];
  const complaints: string[] = [];
  context.on('request', (request) => asked.push(request.url()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.goto(url);
  return { page, asked, complaints, close: () => context.close() };
}
