import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { decodeJwt } from 'jose';
import { stepsOf } from '../demo-steps.ts';
import type { HttpService } from '../services/http-service.ts';
import { FREE_PORTS, startSampleServices, type SampleServices } from '../services/start.ts';
import { Traffic } from '../traffic/traffic.ts';
import { startPage } from './page-service.ts';
import { startPageRoutes } from './start-page.ts';

let services: SampleServices;
let traffic: Traffic;
let page: HttpService;
const at = { gateway: 'http://127.0.0.1:1', admin: 'http://127.0.0.1:2', control: '', folder: '/tmp/x' };

beforeAll(async () => {
  services = await startSampleServices({ ports: FREE_PORTS, quiet: true });
  traffic = new Traffic({ gateways: () => [page.url], identity: services.identity, apiKey: 'key' });
  const routes = startPageRoutes({
    services,
    traffic,
    redisUrl: 'rediss://user:secret@redis.example.com:6380/2',
    gateways: [],
    steps: () => stepsOf(at),
  });
  page = await startPage({}, routes);
});
afterEach(() => traffic.stop());
afterAll(async () => {
  await page.stop();
  await services.stop();
});

const about = async (): Promise<Record<string, never>> =>
  (await fetch(`${page.url}/about.json`)).json() as never;

describe('what the start page asks for', () => {
  it('tells of all services and how they are, and of Redis without what opens it', async () => {
    await services.feed.fault({ slow: 800 });
    const { services: told, redis, steps } = await about();
    await services.feed.fault('none');
    expect(told).toHaveLength(Object.keys(FREE_PORTS).length);
    expect(told).toContainEqual({
      name: 'feed',
      role: 'REST',
      url: services.feed.url,
      fault: { mode: 'slow', delayMs: 800 },
      requests: 0,
    });
    expect(redis).toBe('redis.example.com:6380');
    expect(steps).toEqual(stepsOf(at).map(({ shows, command }) => ({ shows, command })));
  });

  it('stops and starts the traffic, and takes nothing else for an answer', async () => {
    const put = (body: string): Promise<Response> => fetch(`${page.url}/traffic`, { method: 'PUT', body });
    expect(await (await put('{"flows":true}')).json()).toMatchObject({ flows: true });
    expect((await about())['traffic']).toMatchObject({ flows: true });
    expect(await (await put('{"flows":false}')).json()).toMatchObject({ flows: false });
    for (const body of ['{}', '{"flows":"yes"}', 'no']) expect((await put(body)).status).toBe(400);
  });

  it('is GraphiQL with a token that lasts a day of work, kept by no cache', async () => {
    const answer = await fetch(`${page.url}/graphiql`);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; script-src 'sha256-[\w+/]+=';/,
    );
    const token = /Bearer (ey[\w.-]+)/.exec(await answer.text())?.[1] ?? '';
    const { sub, exp = 0 } = decodeJwt(token);
    expect(sub).toBe('2');
    expect(exp).toBeGreaterThan(Date.now() / 1000 + 10 * 3600);
  });

  it('shows the API to somebody who is signed in', async () => {
    const answer = await fetch(`${page.url}/docs`);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'; script-src 'self';/);
    const html = await answer.text();
    expect(html.match(/(?:href|src)="[^"#]+"/g)).toEqual([
      'href="/docs/docs.css"',
      'src="/docs/docs.js"',
      'href="/openapi.json"',
      'href="/openapi.json"',
    ]);
    const token = /name="gatehouse-token" content="(ey[\w.-]+)"/.exec(html)?.[1] ?? '';
    expect(decodeJwt(token).sub).toBe('2');
  });

  it('says so when there is no gateway to show metrics of', async () => {
    expect((await fetch(`${page.url}/metrics`)).status).toBe(503);
  });

  it('knows its reports', async () => {
    expect(await (await fetch(`${page.url}/reports/daily`)).json()).toMatchObject({ report: 'daily' });
    for (const name of ['none', 'toString'])
      expect((await fetch(`${page.url}/reports/${name}`)).status).toBe(404);
  });
});
