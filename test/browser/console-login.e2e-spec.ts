import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Page } from 'playwright-core';
import { useBrowser } from '../support/browser.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { useOperators, type Operators } from '../support/operators.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

// A browser beside all other tests takes its time now and then.
jest.retryTimes(2);

const LIMIT_MS = 60_000;
const browser = useBrowser();
let operators: Operators;
let upstream: TestUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  operators = useOperators();
  upstream = await startUpstream();
  const open = { authentication: 'public' };
  const quota = [{ name: 'daily', limit: 5, window: 'day', withoutRedis: 'memory' }];
  gateway = await startGateway({
    config: JSON.stringify({
      version: 1,
      upstreams: { it: { targets: [upstream.url] } },
      routes: [
        { id: 'some', match: { path: '/some' }, upstream: 'it', policies: { ...open, quota } },
        {
          id: 'stored',
          match: { path: '/stored' },
          upstream: 'it',
          policies: { ...open, cache: { ttl: '1h' } },
        },
      ],
    }),
    environment: operators.environment,
  });
}, LIMIT_MS);
afterAll(async () => {
  await gateway?.stop();
  await upstream?.stop();
  operators?.remove();
});

async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
}

const title = (page: Page, name: string): Promise<void> =>
  page.getByRole('heading', { name, level: 1 }).waitFor();

describe('the console of a listener with tokens', () => {
  it(
    'asks for one, refuses a wrong one, and forgets who has signed out',
    async () => {
      const { page, close } = await browser.open(`${gateway.adminUrl}/console/upstreams/it`);
      await signIn(page, 'not-a-token');
      await page.getByText('This token is not known, or has expired.').waitFor();
      await signIn(page, operators.tokens.operate);
      await title(page, 'it');
      await page.getByRole('button', { name: 'Eject' }).waitFor();
      const [cookie] = await page.context().cookies();
      expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
      expect(await page.evaluate('localStorage.length + document.cookie.length')).toBe(0);
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByLabel('Token').waitFor();
      await page.reload();
      await page.getByLabel('Token').waitFor();
      await close();
    },
    LIMIT_MS,
  );

  it(
    'asks again when the session has ended, and goes on where the reader was',
    async () => {
      const { page, close } = await browser.open(`${gateway.adminUrl}/console/changes`);
      await signIn(page, operators.tokens.admin);
      await title(page, 'Changes');
      await page.context().clearCookies();
      await page.getByLabel('Token').waitFor();
      await signIn(page, operators.tokens.admin);
      await title(page, 'Changes');
      await close();
    },
    LIMIT_MS,
  );

  it(
    'offers no order to who may only read',
    async () => {
      const { page, close } = await browser.open(`${gateway.adminUrl}/console/upstreams/it`);
      await signIn(page, operators.tokens.read);
      await title(page, 'it');
      await page.getByRole('table', { name: 'Targets of it' }).waitFor();
      expect(await page.getByRole('button', { name: /Eject|Weight|breaker/ }).count()).toBe(0);
      expect(await page.getByRole('link', { name: 'Access' }).count()).toBe(0);
      await close();
    },
    LIMIT_MS,
  );

  it(
    'gives a target another weight by keys alone, and the configured one again',
    async () => {
      const { page, close } = await browser.open(`${gateway.adminUrl}/console/upstreams/it`);
      await signIn(page, operators.tokens.operate);
      await page.getByRole('button', { name: 'Weight', exact: true }).focus();
      await page.keyboard.press('Enter');
      await page.getByLabel(/^Weight, 1 to/).fill('7');
      await page.keyboard.press('Enter');
      await page.getByText('ordered, 1 configured').waitFor();
      await page.getByRole('button', { name: 'Reset weight' }).focus();
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').getByRole('button', { name: 'Reset weight' }).focus();
      await page.keyboard.press('Enter');
      await page.getByText('ordered, 1 configured').waitFor({ state: 'detached' });
      await close();
    },
    LIMIT_MS,
  );

  it(
    'opens the breaker of the only target by force only, and shows who has, until when and why',
    async () => {
      const { page, close } = await browser.open(`${gateway.adminUrl}/console/upstreams/it`);
      await signIn(page, operators.tokens.operate);
      await page.getByRole('button', { name: 'Open breaker' }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByText(/No target would be left/).waitFor();
      await dialog.getByLabel('Reason, for the audit log').fill('its disk is full');
      await dialog.getByRole('button', { name: 'Open' }).click();
      await dialog.getByText(/^Refused: without .* no target of it could be called/).waitFor();
      await dialog.getByLabel('Even though none is left').check();
      await dialog.getByRole('button', { name: 'Open' }).click();
      await page.getByText(/^by operate.* until .*: its disk is full$/).waitFor();
      await page.getByRole('button', { name: 'Close breaker' }).click();
      await dialog.getByRole('button', { name: 'Close' }).click();
      await page.getByRole('button', { name: 'Open breaker' }).waitFor();
      await close();
    },
    LIMIT_MS,
  );

  it(
    'shows who has used what of a quota, and has it begin anew',
    async () => {
      for (let i = 0; i < 3; i += 1) await (await fetch(`${gateway.url}/some`)).text();
      const { page, close } = await browser.open(`${gateway.adminUrl}/console/limits`);
      await signIn(page, operators.tokens.operate);
      await page.getByRole('button', { name: 'Who uses it: daily' }).click();
      const use = page.getByRole('table', { name: 'Use of daily' }).locator('tbody tr');
      await use.getByText('3', { exact: true }).waitFor();
      await use.getByRole('button', { name: 'Reset' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Reset' }).click();
      await page.getByText('Nobody has used any of it').waitFor();
      await close();
    },
    LIMIT_MS,
  );
});
