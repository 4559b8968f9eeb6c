import { describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { pino } from 'pino';
import { Caller } from '../calls/caller.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { GrpcCaller } from '../upstreams/grpc/grpc-caller.ts';
import { HttpCaller } from '../upstreams/http/http-caller.ts';
import { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import { testExchange } from './bff-app.fixture.ts';
import { kindByHeader, kindByPath } from './view-variants.ts';
import { View } from './view.ts';
import { ViewGuards } from './view-guards.ts';
import { Views } from './views.ts';

const metrics = new Metrics();
const registry = new UpstreamRegistry({}, pino({ level: 'silent' }), metrics);
const views = new Views(
  new Caller(registry, new HttpCaller(metrics), new GrpcCaller(metrics)),
  metrics,
  new ViewGuards(),
);

function exchangeFor(url: string, headers: Record<string, string> = {}): Exchange {
  const request = new IncomingMessage(new Socket());
  request.url = url;
  Object.assign(request.headers, headers);
  return testExchange(request, new ServerResponse(request));
}

Logger.overrideLogger(false);

const asked: string[] = [];
const Page = View.define('Page')
  .input<{ id: string }>()
  .required('user', ({ input }) => ({ id: input.id, name: 'Ada' }))
  .section('feed', () => (asked.push('feed'), ['a', 'b', 'c']), { fallback: () => [] })
  .section('ads', (): string => {
    throw new Error('sold out');
  })
  .section('greeting', async ({ get }) => `hello ${(await get('user')).name}`);
const Television = View.define('Television')
  .input<{ id: string }>()
  .section('channels', () => [1, 2]);

const Pages = Page.variants(kindByHeader('X-Device'), {
  mobile: (page) => page.pick('feed', (items) => items.length).without('user', 'ads'),
  watch: (page) => page.without('feed', 'ads'),
  tv: Television,
});

const serve = (device: string, url = '/') =>
  views.serve(Pages, { id: '7' }, exchangeFor(url, { 'x-device': device }));

describe('a view by kind of client', () => {
  it('shows less of sections, and leaves out others unless they are asked for', async () => {
    expect(await serve('mobile')).toEqual({ feed: 3, greeting: 'hello Ada' });
  });

  it('runs nothing for what is left out', async () => {
    asked.length = 0;
    await serve('watch');
    expect(asked).toEqual([]);
  });

  it('may be another view of the same input', async () => {
    expect(await serve('TV')).toEqual({ channels: [1, 2] });
    await expect(serve('tv', '/?fields=user')).rejects.toMatchObject({ code: 'request-invalid' });
  });

  it('is the view itself for kinds that are unknown', async () => {
    for (const device of ['', 'toaster', '__proto__', 'constructor']) {
      expect(await serve(device)).toMatchObject({ user: { name: 'Ada' }, feed: ['a', 'b', 'c'], ads: null });
    }
    expect(Page.sections.every(({ hidden, pick }) => !hidden && pick === undefined)).toBe(true);
  });

  it('can be told by the path', async () => {
    const byPath = Page.variants(kindByPath(1), { tv: Television });
    expect(await views.serve(byPath, { id: '7' }, exchangeFor('/api/tv/page'))).toEqual({ channels: [1, 2] });
    const exchange = exchangeFor('/api/web/page');
    expect(await views.serve(byPath, { id: '7' }, exchange)).toHaveProperty('user');
    expect(exchange.responseHeaders).not.toContain('vary');
  });

  it('degrades a section whose pick fails, and no other', async () => {
    const broken = Page.variants(kindByHeader('x-device'), {
      odd: (page) =>
        page.without('ads').pick('feed', (): number => {
          throw new Error('no feed');
        }),
    });
    const body = await views.serve(broken, { id: '7' }, exchangeFor('/', { 'x-device': 'odd' }));
    expect(body).toMatchObject({ feed: null, greeting: 'hello Ada' });
    expect(body.degraded).toEqual([{ section: 'feed', code: 'internal', via: 'null' }]);
  });

  it('answers internal where a pick is wrong code', async () => {
    const broken = Page.variants(kindByHeader('x-device'), {
      odd: (page) => page.pick('feed', () => (undefined as unknown as { length: number }).length),
    });
    await expect(
      views.serve(broken, { id: '7' }, exchangeFor('/', { 'x-device': 'odd' })),
    ).rejects.toMatchObject({ code: 'internal', extensions: { section: 'feed' } });
  });

  it('has types that follow', async () => {
    const body = await serve('mobile');
    const feed: readonly string[] | number | undefined = 'feed' in body ? body.feed : undefined;
    expect(feed).toBe(3);
    // @ts-expect-error - no kind shows a feed as text
    const text: string | undefined = 'feed' in body ? body.feed : undefined;
    expect(text).toBe(3);
    // @ts-expect-error - there is no such section
    Page.variants(kindByHeader('x'), { tv: (page) => page.without('nothing') });
    // @ts-expect-error - a view of another input
    Page.variants(kindByHeader('x'), { tv: View.define('Other').input<{ other: number }>() });
  });
});
