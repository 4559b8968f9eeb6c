import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { RequestListener } from 'node:http';
import { useBrowser } from '../support/browser.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const ORIGIN = { regex: 'http://127\\.0\\.0\\.1:[0-9]+' };
const browser = useBrowser();
const running: { gateway?: TestGateway; service?: TestUpstream; pages?: TestUpstream } = {};
/** What came to the service, method by method. */
const heard: string[] = [];

const service: RequestListener = (request, response) => {
  heard.push(`${request.method} ${request.headers.cookie ?? ''}`.trim());
  if (request.url === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    return void response.write('data: one\n\n');
  }
  const fields = {
    'content-type': 'application/json',
    'x-secret': '1',
    'x-told': '2',
    'set-cookie': 'seen=1',
  };
  response.writeHead(200, fields).end(JSON.stringify({ text: 'hello '.repeat(500) }));
};

beforeAll(async () => {
  running.service = await startUpstream(service);
  running.pages = await startUpstream(
    (_, response) => void response.end('<!doctype html><title>page</title>'),
  );
  const cors = { origins: [ORIGIN], exposedHeaders: ['x-told'] };
  const route = (id: string, policies: object) => ({
    id,
    match: { path: `/${id}` },
    upstream: 'behind',
    policies,
  });
  running.gateway = await startGateway({
    config: JSON.stringify({
      version: 1,
      identity: { apiKeys: [{ sha256: '0'.repeat(64), clientId: 'app' }] },
      defaults: { policies: { authentication: 'public', cors } },
      upstreams: { behind: { targets: [running.service.url] } },
      routes: [
        route('plain', {}),
        route('known', { cors: { ...cors, credentials: true } }),
        route('shut', { authentication: { schemes: ['apiKey'] } }),
        route('others', { cors: { origins: ['https://app.example.com'] } }),
        route('events', {}),
      ],
    }),
  });
});
afterAll(async () => {
  await running.gateway?.stop();
  await Promise.all([running.service?.stop(), running.pages?.stop()]);
});

interface Seen {
  readonly status: number;
  readonly length: number;
  readonly told: string | null;
  readonly secret: string | null;
}

/** Fetches as a page does; runs in the browser. */
async function fetched([url, init]: readonly [string, RequestInit]): Promise<Seen | string> {
  try {
    const answer = await fetch(url, init);
    const { headers, status } = answer;
    const { length } = await answer.text();
    return { status, length, told: headers.get('x-told'), secret: headers.get('x-secret') };
  } catch (error) {
    return String(error);
  }
}

/** The first event of a stream, or that there is none; runs in the browser. */
function firstEvent([url, withCredentials]: readonly [string, boolean]): Promise<string> {
  return new Promise((resolve) => {
    const source = new EventSource(url, { withCredentials });
    const tell = (text: string): void => {
      source.close();
      resolve(text);
    };
    source.addEventListener('message', ({ data }: MessageEvent<string>) => tell(data));
    source.addEventListener('error', () => tell('error'));
  });
}

/** Runs a function in a page of another origin. */
async function inPage<Argument, Result>(
  run: (argument: Argument) => Promise<Result>,
  argument: Argument,
): Promise<Result> {
  const { page, close } = await browser.open((running.pages as TestUpstream).url);
  const result = await page.evaluate(run as never, argument);
  await close();
  return result as Result;
}

const at = (path: string): string => (running.gateway as TestGateway).url + path;

describe('a page of another origin', () => {
  it('reads answers, and of their fields what is exposed', async () => {
    expect(await inPage(fetched, [at('/plain'), {}])).toMatchObject({ status: 200, told: '2', secret: null });
  });

  it('asks leave for methods and fields, which the service never hears of', async () => {
    heard.length = 0;
    const init = {
      method: 'PATCH',
      headers: { 'x-own': '1', 'content-type': 'application/json' },
      body: '{}',
    };
    expect(await inPage(fetched, [at('/plain'), init])).toMatchObject({ status: 200 });
    expect(heard).toEqual(['PATCH']);
  });

  it('reads why it was refused', async () => {
    const init = { method: 'PUT', headers: { 'x-api-key': 'unknown' } };
    expect(await inPage(fetched, [at('/shut'), init])).toMatchObject({ status: 401 });
    expect(await inPage(fetched, [at('/nowhere'), init])).toMatchObject({ status: 404 });
  });

  it('reads nothing where its origin is not listed', async () => {
    expect(await inPage(fetched, [at('/others'), {}])).toMatch(/Failed to fetch/);
    heard.length = 0;
    expect(await inPage(fetched, [at('/others'), { method: 'PUT' }])).toMatch(/Failed to fetch/);
    expect(heard).toEqual([]);
  });

  it('sends credentials only where the route wants them', async () => {
    const init = { credentials: 'include' } as const;
    expect(await inPage(fetched, [at('/known'), init])).toMatchObject({ status: 200 });
    expect(await inPage(fetched, [at('/plain'), init])).toMatch(/Failed to fetch/);
  });

  it('hears events, and with credentials only where the route wants them', async () => {
    expect(await inPage(firstEvent, [at('/events'), false])).toBe('one');
    expect(await inPage(firstEvent, [at('/events'), true])).toBe('error');
  });
});
