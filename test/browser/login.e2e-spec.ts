import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { useBrowser } from '../support/browser.ts';
import { LoginStage } from '../support/login.ts';

const browser = useBrowser();
let stage: LoginStage;
beforeAll(async () => {
  stage = await LoginStage.start({ store: 'cookie', isReached: true });
  stage.provider.user = undefined;
  stage.echo.listener = (request, response) => {
    if (request.url?.startsWith('/page') !== true) return void response.end('{}');
    response.setHeader('content-type', 'text/html').end('<h1>Our page</h1>');
  };
});
afterAll(() => stage?.stop());

it('logs in, calls, holds no token, logs out, and is refused', async () => {
  const { page, close } = await browser.open(`${stage.at()}/page?a=1`);
  const call = () => page.evaluate(async () => (await fetch('/api/x')).status);
  // From the page to the provider, and back to the page.
  await page.getByRole('button', { name: 'Bob' }).click();
  await page.getByText('Our page').waitFor();
  expect(page.url()).toBe(`${stage.at()}/page?a=1`);
  expect(await call()).toBe(200);
  expect(await page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage }))).toBe('{}');
  const cookies = await page.context().cookies(stage.at());
  const own = cookies.filter(({ name }) => name.startsWith('gatehouse'));
  expect(own).toEqual([expect.objectContaining({ name: 'gatehouse', httpOnly: true, sameSite: 'Strict' })]);

  // Once more from another site, which keeps the cookie away from the first request.
  await page.goto('data:text/html,<a id="x" href="' + stage.at() + '/page">go</a>');
  await page.click('#x');
  await page.getByText('Our page').waitFor();
  expect(await call()).toBe(200);

  const location = await page.evaluate(
    async () =>
      ((await (await fetch('/logout', { method: 'POST' })).json()) as { location: string }).location,
  );
  expect(location).toContain('/session/end?');
  expect(await call()).toBe(401);
  await page.context().addCookies(own);
  expect(await call()).toBe(401);
  await close();
});
