import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startControl } from './control.ts';
import { startFeed } from './feed.ts';
import type { HttpService } from './http-service.ts';

let feed: HttpService;
let control: HttpService;
beforeEach(async () => {
  feed = await startFeed();
  control = await startControl([feed]);
});
afterEach(() => Promise.all([feed.stop(), control.stop()]));

const put = (name: string, body: string): Promise<Response> =>
  fetch(`${control.url}/services/${name}/fault`, { method: 'PUT', body });

describe('control', () => {
  it('lists the services with fault and counts', async () => {
    await fetch(`${feed.url}/feed`);
    const requests = { total: 1, aborted: 0, by: { 'GET /feed': 1 } };
    expect(await (await fetch(`${control.url}/services`)).json()).toEqual({
      services: [{ name: 'feed', url: feed.url, fault: { mode: 'none' }, requests }],
    });
  });

  it('switches a fault on and off', async () => {
    const response = await put('feed', '{"mode":"slow","delayMs":800}');
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ name: 'feed', fault: { mode: 'slow', delayMs: 800 } });
    expect(feed.mode).toEqual({ slow: 800 });
    await put('feed', '{"mode":"dead"}');
    await expect(fetch(`${feed.url}/feed`)).rejects.toThrow('fetch failed');
    await put('feed', '{"mode":"none"}');
    expect((await fetch(`${feed.url}/feed`)).status).toBe(200);
  });

  it.each([
    [
      'feed',
      '{"mode":"broken"}',
      400,
      'mode: one of none, slow, fail, unavailable, garbage, dead is expected',
    ],
    [
      'feed',
      '{"mode":"slow"}',
      400,
      'delayMs: a number of milliseconds from 0 to 600000 is expected with mode slow',
    ],
    ['feed', 'dead', 400, 'the body is not valid JSON'],
    ['nobody', '{"mode":"fail"}', 404, 'service nobody does not exist; there are feed'],
  ])('refuses for %s the body %s', async (name, body, status, error) => {
    const response = await put(name, body);
    expect([response.status, await response.json()]).toEqual([status, { error }]);
    expect(feed.mode).toBe('none');
  });
});
