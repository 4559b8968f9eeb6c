import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_PORTS } from '../../examples/services/start.ts';
import { useBrowser } from '../support/browser.ts';
import { ensureBuilt } from '../support/child.ts';
import { call } from '../support/client.ts';
import { commandsOf, Demo, isTaken, paste, requireCurl, type DemoCommand } from '../support/demo.ts';

const LIMIT_MS = 60_000;

/** What the start page asks for, as far as it is looked at here. */
interface About {
  readonly gateways: readonly { readonly url: string; readonly adminUrl: string }[];
  readonly services: readonly { readonly name: string; readonly url: string }[];
  readonly steps: readonly DemoCommand[];
  readonly traffic: { readonly flows: boolean; readonly sent: number };
}

/** The last paragraph of what `curl -i` prints. */
const bodyOf = (output: string): unknown => JSON.parse(output.slice(output.indexOf('\r\n\r\n') + 4));

/** What each command shows, by the first words of the line above it. */
const SHOWN: Readonly<Record<string, (output: string) => void>> = {
  'A route from YAML': (output) => {
    expect(output).toMatch(/^HTTP\/1\.1 200 /);
    expect(output).toMatch(/^x-served-by: users-[12]\r$/im);
    expect(output).toMatch(/^ratelimit: /im);
    expect(bodyOf(output)).toMatchObject({ id: '2', name: 'Bob User' });
    expect(bodyOf(output)).not.toHaveProperty('internal');
  },
  'No credentials': (output) => {
    expect(output).toMatch(/^HTTP\/1\.1 401 /);
    expect(output).toMatch(/^content-type: application\/problem\+json/im);
    expect(output).toMatch(/^www-authenticate: /im);
    expect(bodyOf(output)).toMatchObject({ status: 401, code: 'credentials-missing' });
  },
  'A guest lacks the role': (output) => {
    expect(output).toMatch(/^HTTP\/1\.1 403 /);
    expect(bodyOf(output)).toMatchObject({ status: 403, code: 'permission-denied' });
  },
  'The same route with an API key': (output) => {
    expect(output).toMatch(/^HTTP\/1\.1 200 /);
    expect(bodyOf(output)).toMatchObject({ id: '1', name: 'Ada Admin' });
  },
  'Five requests in ten seconds': (output) => {
    const statuses = [...output.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => status);
    expect(statuses.slice(0, 5)).toEqual(Array.from({ length: 5 }, () => '200'));
    expect(statuses).toHaveLength(7);
    expect(statuses.at(-1)).toBe('429');
    expect(output).toMatch(/429 [^]*^retry-after: \d+\r$/im);
  },
  'REST in front of gRPC': (output) => {
    const { orders } = JSON.parse(output) as { orders: { userId: string }[] };
    expect(orders.map(({ userId }) => userId)).toEqual(['2', '2']);
  },
  'A new order': (output) => {
    expect(output).toMatch(/^HTTP\/1\.1 201 /);
    expect(output).toMatch(/^location: \/api\/v1\/orders\/.+\r$/im);
    expect(bodyOf(output)).toMatchObject({ items: [{ sku: 'BOOK-1', quantity: 2 }] });
  },
  'One page from three services': (output) => {
    const page = JSON.parse(output) as object;
    expect(Object.keys(page).sort()).toEqual(['feed', 'notifications', 'user']);
    expect(page).toMatchObject({ user: { name: 'Bob User' }, feed: { items: expect.anything() } });
  },
  'Its user over GraphQL': (output) => {
    expect(JSON.parse(output)).toEqual({ data: { homepage: { user: { name: 'Bob User' } } } });
  },
  'A dead service costs the page one section': (output) => {
    expect(JSON.parse(output)).toMatchObject({
      feed: { items: [] },
      degraded: [{ section: 'feed', code: 'upstream-unreachable' }],
    });
  },
  'The service is back': (output) => {
    expect(JSON.parse(output)).toEqual({ feed: { items: expect.arrayContaining([expect.anything()]) } });
  },
  'What operators see': (output) => {
    expect(output).toMatch(/^gatehouse_request_duration_seconds_count\{route="users",.*\} [1-9]/m);
    expect(output).toMatch(/^gatehouse_rate_limit_decisions_total\{route="feed",outcome="limited"\} [1-9]/m);
  },
};

describe('the demo', () => {
  const browser = useBrowser();
  let demo: Demo;
  let said: string;
  let gateway: string;
  let folder: string;
  const about = async (): Promise<About> => (await call(`${gateway}/demo/about.json`)).json();

  beforeAll(async () => {
    requireCurl();
    await ensureBuilt();
    demo = new Demo({ PORTS: 'free' });
    said = await demo.introduction();
    gateway = String(/Start here: (http:\S+)\/$/m.exec(said)?.[1]);
    folder = String(/ files in (\S+): /.exec(said)?.[1]);
  }, LIMIT_MS);
  afterAll(() => demo.interrupt(), LIMIT_MS);

  it('serves this machine only', () => {
    const [, child = 0] = demo.processes();
    const sockets = readFileSync(`/proc/${child}/net/tcp`, 'utf8');
    const port = Number(new URL(gateway).port).toString(16).toUpperCase().padStart(4, '0');
    const listening = [...sockets.matchAll(/^ *\d+: ([0-9A-F]{8}):([0-9A-F]{4}) 0{8}:0{4} 0A /gm)];
    expect(listening.filter(([, , at]) => at === port).map(([, address]) => address)).toEqual(['0100007F']);
  });

  it('prints one screen, without a credential', () => {
    const lines = said.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(30);
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
    expect(said).not.toMatch(/\bey[\w-]{20}|gh_demo_/);
  });

  it(
    'has commands that do what the line above each of them promises',
    async () => {
      const { steps } = await about();
      const promised = Object.keys(SHOWN);
      expect(steps).toHaveLength(promised.length);
      for (const [index, { shows, command }] of steps.entries()) {
        const promise = promised[index] ?? '';
        expect(shows).toContain(promise);
        SHOWN[promise]?.(paste(command));
      }
      // The terminal has some of them, as they are.
      const printed = commandsOf(said);
      expect(printed.length).toBeGreaterThan(5);
      expect(said.match(/^curl /gm)).toHaveLength(printed.length);
      expect(steps).toEqual(expect.arrayContaining(printed));
    },
    LIMIT_MS,
  );

  it.each([
    ['admin', 404],
    ['user', 403],
    ['guest', 403],
  ])('keeps a token of %s that the gateway takes, and nobody else may read', (who, status) => {
    // Only an administrator gets as far as the service, which has no such payment.
    const ask = `curl -s -o /dev/null -w '%{http_code}' -H "$(cat ${folder}/${who})"`;
    expect(paste(`${ask} ${gateway}/api/v2/payments/none`)).toBe(String(status));
    expect(statSync(`${folder}/${who}`).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it('prints addresses for browsers that are answered with HTML', async () => {
    const addresses = [...said.matchAll(/(http:\S+)(?: {2}|$)/gm)].map(([, address]) => String(address));
    expect(addresses.filter((address) => /\/$|demo\/|\/docs/.test(address))).toHaveLength(6);
    for (const address of addresses.slice(0, 6)) {
      const { status, headers } = await call(address, { headers: { accept: 'text/html' } });
      expect([address, status, headers['content-type']]).toEqual([address, 200, 'text/html; charset=utf-8']);
    }
  });

  it(
    'has a start page from which all is one click away, and that loads nothing from elsewhere',
    async () => {
      const { page, asked, complaints, close } = await browser.open(`${gateway}/`, {
        permissions: ['clipboard-read', 'clipboard-write'],
      });
      await page.getByText('Running: a gateway, 8 services').waitFor();
      const { gateways, services, steps } = await about();
      for (const { url } of services)
        await page.getByRole('cell', { name: url.replace(/^\w+:\/\//, ''), exact: true }).waitFor();

      const cards = page.getByRole('navigation').getByRole('link');
      const links = await cards.evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href));
      const paths = ['graphiql', 'homepage.html', 'docs', 'login.html', 'metrics'];
      const [graphiql, homepage, docs, login, metrics] = paths.map(
        (path) => new URL(path, `${gateway}/demo/`).href,
      );
      expect(links).toEqual([graphiql, homepage, docs, login, `${gateways[0]?.adminUrl}/`, metrics]);
      for (const link of links) expect([link, (await call(link)).status]).toEqual([link, 200]);

      expect((await call(String(metrics))).text).toContain('# TYPE gatehouse_problems_total counter');

      // By keyboard alone.
      const copy = page.getByRole('button', { name: `Copy: ${steps[1]?.shows}` });
      await copy.focus();
      await page.keyboard.press('Enter');
      await page.getByRole('status').getByText('Copied.').waitFor({ state: 'attached' });
      expect(await page.evaluate('navigator.clipboard.readText()')).toBe(steps[1]?.command);

      await page.getByRole('button', { name: 'Stop it' }).click();
      await page.getByText('Sample traffic is off').waitFor();
      expect((await about()).traffic.flows).toBe(false);
      await page.getByRole('button', { name: 'Start it' }).click();
      await page.getByRole('button', { name: 'Stop it' }).waitFor();

      expect(complaints).toEqual([]);
      expect(asked.filter((url) => !url.startsWith(`${gateway}/`) && url !== 'data:,')).toEqual([]);
      const policy = String((await call(`${gateway}/`)).headers['content-security-policy']);
      expect(policy).toMatch(/^default-src 'none'; /);
      expect(policy).not.toContain('unsafe');
      await close();
    },
    LIMIT_MS,
  );

  it(
    'leads from the start page to the console, on a small and dark screen too',
    async () => {
      const viewport = { width: 380, height: 800 };
      const { page, complaints, close } = await browser.open(`${gateway}/`, {
        viewport,
        colorScheme: 'dark',
      });
      await page.getByText('Running: a gateway').waitFor();
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(viewport.width);
      const { adminUrl } = (await about()).gateways[0] ?? {};
      await page.getByRole('link', { name: 'Console' }).click();
      await page.waitForURL(`${adminUrl}/**`);
      await page.getByText('Gatehouse').first().waitFor();
      expect(complaints).toEqual([]);
      await close();
    },
    LIMIT_MS,
  );

  it(
    'opens the API signed in as Bob, and sends what he tries',
    async () => {
      const { page, asked, complaints, close } = await browser.open(`${gateway}/`);
      await page.getByRole('link', { name: 'API reference' }).click();
      const show = page.locator('article[id="homepage.show"]');
      await show.locator('.try > summary').click();
      await show.getByRole('button', { name: 'Send' }).click();
      await show.locator('.outcome pre', { hasText: '"name": "Bob User"' }).waitFor();
      await page.getByRole('link', { name: /List orders/ }).click();
      expect(new URL(page.url()).pathname).toBe('/demo/docs');
      // Nobody has logged in, which the page has asked.
      expect(complaints.filter((text) => !/Failed to load resource: .* 401/.test(text))).toEqual([]);
      expect(asked.filter((url) => !url.startsWith(`${gateway}/`))).toEqual([]);
      expect(`${asked.join()}${page.url()}`).not.toMatch(/\bey[\w-]{20}/);
      expect(await page.evaluate('JSON.stringify(localStorage)')).not.toMatch(/\bey[\w-]{20}/);
      await close();
    },
    LIMIT_MS,
  );

  it(
    'opens GraphiQL signed in as Bob, with a query that runs',
    async () => {
      const { page, asked, complaints, close } = await browser.open(`${gateway}/`);
      await page.getByRole('link', { name: 'GraphiQL' }).click();
      await page.getByRole('button', { name: /^Execute query/ }).click();
      const answer = page.locator('.graphiql-response');
      for (const text of ['"Bob User"', '"unread"', '"Ten gates of old Lisbon'])
        await answer.filter({ hasText: text }).waitFor();
      await page.getByRole('button', { name: 'Show Documentation Explorer' }).click();
      await page.locator('.graphiql-doc-explorer', { hasText: 'Query' }).waitFor();

      expect(complaints).toEqual([]);
      expect(asked.filter((url) => !/^(blob:|data:)/.test(url) && !url.startsWith(`${gateway}/`))).toEqual(
        [],
      );
      // The token is in no address and stays in no store of the browser.
      expect(`${asked.join()}${page.url()}`).not.toMatch(/\bey[\w-]{20}/);
      expect(await page.evaluate('JSON.stringify(localStorage)')).not.toMatch(/\bey[\w-]{20}/);
      await close();
    },
    LIMIT_MS,
  );

  it(
    'sends sample traffic of all kinds, through both doors',
    async () => {
      // By now it has flowed for a while.
      const { adminUrl = '' } = (await about()).gateways[0] ?? {};
      const kinds = [
        /^gatehouse_request_duration_seconds_count\{route="(users|profile|user-feed)",.*status="2xx"\}/m,
        /^gatehouse_request_duration_seconds_count\{route="orders.list",.*status="2xx"\}/m,
        /^gatehouse_request_duration_seconds_count\{route="orders-rest.ListOrders",.*status="2xx"\}/m,
        /^gatehouse_graphql_operation_duration_seconds_count\{operation="Headlines",.*\}/m,
        /^gatehouse_problems_total\{route="users",stage="identify",code="credentials-invalid"\}/m,
        /^gatehouse_problems_total\{route="users",stage="authorize",code="permission-denied"\}/m,
        /^gatehouse_problems_total\{route="feed",stage="limit",code="rate-limited"\}/m,
        /^gatehouse_problems_total\{route="demo-reports",stage="deadline",code="deadline-exceeded"\}/m,
        /^gatehouse_open_sockets\{.*\} [1-9]/m,
      ];
      const missing = async (): Promise<RegExp[]> => {
        const { text } = await call(`${adminUrl}/metrics`);
        return kinds.filter((kind) => !kind.test(text));
      };
      let left = kinds;
      while (left.length > 0) {
        left = await missing();
        await sleep(200);
      }
    },
    LIMIT_MS,
  );

  it(
    'leaves no process, no listener and no credentials behind after Ctrl-C',
    async () => {
      const processes = demo.processes();
      expect(processes).toHaveLength(2);
      const { gateways, services } = await about();
      const addresses = [
        ...gateways.flatMap(({ url, adminUrl }) => [url, adminUrl]),
        ...services.map(({ url }) => url),
      ];
      const ports = addresses.map((address) => Number(new URL(address).port));
      expect(ports).toHaveLength(2 + Object.keys(DEFAULT_PORTS).length);
      expect(existsSync(folder)).toBe(true);

      expect(await demo.interrupt()).toEqual({ code: 0, stdout: said, stderr: '' });
      for (const pid of processes) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
      expect(await Promise.all(ports.map(isTaken))).toEqual(ports.map(() => false));
      expect(existsSync(folder)).toBe(false);
    },
    LIMIT_MS,
  );
});
