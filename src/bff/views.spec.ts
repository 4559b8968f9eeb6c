import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { pino } from 'pino';
import type { Call } from '../calls/call.ts';
import { Caller } from '../calls/caller.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { GrpcCaller } from '../upstreams/grpc/grpc-caller.ts';
import { HttpCaller } from '../upstreams/http/http-caller.ts';
import { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import { testExchange } from './bff-app.fixture.ts';
import { View } from './view.ts';
import { ViewGuards } from './view-guards.ts';
import { Views } from './views.ts';

/** A source that ends when the test says so. */
class Gate<Value> {
  started = 0;
  readonly #opening = Promise.withResolvers<Value>();
  readonly source = (): Promise<Value> => {
    this.started += 1;
    return this.#opening.promise;
  };
  open(value: Value): void {
    this.#opening.resolve(value);
  }
  break(error: unknown): void {
    this.#opening.reject(error);
  }
}

let metrics = new Metrics();
const grpc = new GrpcCaller(metrics);
const caller = new Caller(
  new UpstreamRegistry({}, pino({ level: 'silent' }), metrics),
  new HttpCaller(metrics),
  grpc,
);
let views = new Views(caller, metrics, new ViewGuards());
const define = View.define('Page').input<{ id: string }>();
const input = { id: '7' };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let exchange: Exchange;
beforeEach(() => {
  Logger.overrideLogger(false);
  exchange = exchangeFor('/page');
  metrics = new Metrics();
  views = new Views(caller, metrics, new ViewGuards());
});
afterEach(() => {
  jest.useRealTimers();
});

function exchangeFor(url: string): Exchange {
  const request = new IncomingMessage(new Socket());
  request.url = url;
  return testExchange(request, new ServerResponse(request));
}

async function outcomes(): Promise<Record<string, string>> {
  const counter = metrics.registry.getSingleMetric('gatehouse_view_sections_total');
  const { values = [] } = (await counter?.get()) ?? {};
  return Object.fromEntries(values.map(({ labels }) => [labels['section'], String(labels['outcome'])]));
}

async function refused(promise: Promise<unknown>): Promise<Problem> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof Problem)) throw new Error(`expected a problem, got ${String(error)}`);
  return error;
}

const broken = (): Promise<string> => Promise.reject(new Problem('upstream-unreachable'));
const dur = /^user;dur=\d+, feed;dur=\d+$/;

describe('a view that is served whole', () => {
  it('answers with its sections and the time that each took', async () => {
    const view = define
      .required('user', ({ input: { id } }) => ({ id }))
      .section('feed', () => Promise.resolve([1]));
    expect(await views.serve(view, input, exchange)).toEqual({ user: { id: '7' }, feed: [1] });
    expect(exchange.responseHeaders).toEqual([
      'server-timing',
      expect.stringMatching(dur),
      'cache-control',
      'no-store',
    ]);
    expect(await outcomes()).toEqual({ user: 'ok', feed: 'ok' });
  });

  it('starts sections that do not depend on each other at once', async () => {
    const [user, feed, ads] = [new Gate<string>(), new Gate<string>(), new Gate<string>()];
    const view = define.required('user', user.source).section('feed', feed.source).section('ads', ads.source);
    const serving = views.serve(view, input, exchange);
    expect([user.started, feed.started, ads.started]).toEqual([1, 1, 1]);
    ads.open('ads');
    feed.open('feed');
    user.open('user');
    expect(await serving).toEqual({ user: 'user', feed: 'feed', ads: 'ads' });
  });

  it('starts a section after those that it waits for, and each section once', async () => {
    const [user, other] = [new Gate<string>(), new Gate<string>()];
    const seen: string[] = [];
    const view = define
      .required('user', user.source)
      .section('other', other.source)
      .section('a', async ({ get }) => void seen.push(`a ${await get('user')}`))
      .section('b', async ({ get }) => void seen.push(`b ${await get('user')} ${await get('other')}`));
    const serving = views.serve(view, input, exchange);
    await turn();
    expect(seen).toEqual([]);
    user.open('u');
    await turn();
    expect(seen).toEqual(['a u']);
    other.open('o');
    await serving;
    expect(seen).toEqual(['a u', 'b u o']);
    expect([user.started, other.started]).toEqual([1, 1]);
  });

  it('shows the fallback of a section that fails, or null, and says so', async () => {
    const view = define
      .required('user', () => 'u')
      .section('feed', broken, { fallback: () => 'stand-in' })
      .section('ads', broken);
    expect(await views.serve(view, input, exchange)).toEqual({
      user: 'u',
      feed: 'stand-in',
      ads: null,
      degraded: [
        { section: 'feed', code: 'upstream-unreachable', via: 'fallback' },
        { section: 'ads', code: 'upstream-unreachable', via: 'null' },
      ],
    });
    expect(exchange.responseHeaders.slice(2)).toEqual(['cache-control', 'no-store']);
    expect(await outcomes()).toEqual({ user: 'ok', feed: 'fallback', ads: 'null' });
  });

  it('degrades what depends on a section that failed, and hands on a fallback', async () => {
    const view = define
      .section('a', broken)
      .section('b', async ({ get }) => `after ${await get('a')}`)
      .section('c', broken, { fallback: () => 'stand-in' })
      .section('d', async ({ get }) => `after ${await get('c')}`);
    const body = await views.serve(view, input, exchange);
    expect(body).toMatchObject({ a: null, b: null, c: 'stand-in', d: 'after stand-in' });
    expect(body.degraded?.map(({ section, via }) => [section, via])).toEqual([
      ['a', 'null'],
      ['b', 'null'],
      ['c', 'fallback'],
    ]);
  });

  it('answers with the problem of a required section, naming it, and cancels the others', async () => {
    const [user, feed] = [new Gate<string>(), new Gate<string>()];
    const view = define
      .required('user', user.source)
      .section('feed', feed.source, { fallback: () => 'stand-in' });
    const serving = refused(views.serve(view, input, exchange));
    user.break(new Problem('circuit-open', { headers: { 'retry-after': '9' } }));
    const problem = await serving;
    expect(problem).toMatchObject({
      code: 'circuit-open',
      status: 503,
      headers: { 'retry-after': '9' },
      extensions: { section: 'user' },
    });
    expect(exchange.cancelled).toBe(problem);
    expect(await outcomes()).toEqual({ user: 'failed', feed: 'failed' });
  });

  it('names the section that a required one depends on', async () => {
    const view = define
      .required('user', () => Promise.reject(new Problem('upstream-timeout')))
      .required('cart', async ({ get }) => get('user'));
    expect((await refused(views.serve(view, input, exchangeFor('/?fields=cart')))).extensions).toEqual({
      section: 'user',
    });
  });

  it('answers internal when a required section throws what is no problem, and hides it', async () => {
    const view = define.required('user', () => {
      throw new TypeError('secret');
    });
    const problem = await refused(views.serve(view, input, exchange));
    expect([problem.code, problem.message.includes('secret')]).toEqual(['internal', false]);
  });

  it.each([
    ['with a fallback', { fallback: () => 'stand-in' }],
    ['that could be null', {}],
  ])('answers internal for a section %s whose code is wrong, and logs and counts it', async (_, options) => {
    const logged: unknown[] = [];
    const log = jest
      .spyOn(Logger.prototype, 'error')
      .mockImplementation((...said) => void logged.push(...said));
    const view = define
      .section('feed', () => (undefined as unknown as { items: string }).items, options as object)
      .section('after', async ({ get }) => `after ${await get('feed')}`, { fallback: () => 'nothing' });
    expect(await refused(views.serve(view, input, exchange))).toMatchObject({
      code: 'internal',
      extensions: { section: 'feed' },
    });
    log.mockRestore();
    expect(String(logged[0])).toMatch(/section "feed" of the view Page failed/);
    expect(logged[1]).toBeInstanceOf(TypeError);
    expect(logged).toHaveLength(2);
    expect(await outcomes()).toEqual({ feed: 'failed', after: 'failed' });
    expect(await metrics.registry.metrics()).toContain(
      'gatehouse_view_section_defects_total{view="Page",section="feed"} 1',
    );
  });

  it('ends when the exchange is cancelled, whatever fallbacks there are', async () => {
    const view = define
      .section('feed', new Gate<string>().source, { fallback: () => 'x' })
      .section('ads', () => 'ads');
    const serving = refused(views.serve(view, input, exchange));
    const reason = new Problem('client-closed');
    exchange.cancel(reason);
    expect(await serving).toBe(reason);
    expect(await outcomes()).toEqual({ feed: 'failed', ads: 'ok' });
  });

  it('starts nothing for an exchange that was cancelled before', async () => {
    const feed = new Gate<string>();
    exchange.cancel(new Problem('deadline-exceeded'));
    const view = define.section('feed', feed.source);
    expect((await refused(views.serve(view, input, exchange))).code).toBe('deadline-exceeded');
    expect(feed.started).toBe(0);
  });
});

describe('?fields=', () => {
  const [user, feed, ads] = [new Gate<string>(), new Gate<string>(), new Gate<string>()];
  const view = define
    .required('user', user.source)
    .section('feed', feed.source)
    .section('ads', ads.source)
    .section('greeting', async ({ get }) => `hello ${await get('user')}`);
  user.open('Ada');
  feed.open('feed');

  it('runs the selected sections and what they depend on, and nothing else', async () => {
    const body = await views.serve(view, input, exchangeFor('/page?fields=greeting,feed'));
    expect(body).toEqual({ feed: 'feed', greeting: 'hello Ada' });
    expect([user.started, feed.started, ads.started]).toEqual([1, 1, 0]);
  });

  it('may be repeated', async () => {
    expect(await views.serve(view, input, exchangeFor('/page?fields=user&x=1&fields=feed'))).toEqual({
      user: 'Ada',
      feed: 'feed',
    });
  });

  it.each([
    ['usr', 'There is no field "usr". Did you mean "user"? There are user, feed, ads, greeting.'],
    ['', 'There is no field "". There are user, feed, ads, greeting.'],
    ['__proto__', 'There is no field "__proto__". There are user, feed, ads, greeting.'],
  ])('refuses %p, naming what there is', async (field, detail) => {
    const problem = await refused(views.serve(view, input, exchangeFor(`/page?fields=${field}`)));
    expect(problem.code).toBe('request-invalid');
    expect(problem.extensions).toEqual({ errors: [{ parameter: 'fields', detail }] });
  });
});

describe('a budget', () => {
  it('ends a section that takes longer, and ignores what comes later', async () => {
    jest.useFakeTimers();
    const feed = new Gate<string>();
    const view = define.section('feed', feed.source, { budget: '250ms', fallback: () => 'stand-in' });
    const serving = views.serve(view, input, exchange);
    jest.advanceTimersByTime(249);
    expect(await outcomes()).toEqual({});
    jest.advanceTimersByTime(1);
    feed.open('late');
    expect(await serving).toEqual({
      feed: 'stand-in',
      degraded: [{ section: 'feed', code: 'upstream-timeout', via: 'fallback' }],
    });
  });

  it('counts the time that a section waits for others', async () => {
    jest.useFakeTimers();
    const view = define
      .section('slow', new Gate<string>().source, { budget: '1s' })
      .section('after', ({ get }) => get('slow'), { budget: '100ms' });
    const run = views.start(view, input, exchange);
    const after = refused(run.section('after').result);
    jest.advanceTimersByTime(100);
    expect((await after).code).toBe('upstream-timeout');
    expect(run.section('slow').degradation).toBeUndefined();
  });

  it('is handed to the calls of the section, less what has passed', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    const given: number[] = [];
    const probe: Call<string, void> = {
      name: 'probe',
      upstream: 'none',
      run: (_transports, _input, { timeoutMs }) => Promise.resolve(void given.push(timeoutMs)),
    };
    const first = new Gate<string>();
    const view = define
      .section('first', first.source)
      .section('probe', probe, ({ get }) => get('first'), { budget: '300ms' })
      .section('unbounded', probe, () => 'x');
    const serving = views.serve(view, input, exchange);
    jest.advanceTimersByTime(100);
    first.open('x');
    await serving;
    expect(given).toEqual([Infinity, 200]);
  });

  it('leaves no timer and no listener behind', async () => {
    jest.useFakeTimers();
    const listening = jest.spyOn(exchange, 'onCancel');
    const forgetting = jest.spyOn(exchange, 'offCancel');
    const view = define.section('feed', () => Promise.resolve('f'), { budget: '1s' });
    await views.serve(view, input, exchange);
    expect(jest.getTimerCount()).toBe(0);
    expect(forgetting.mock.calls).toEqual(listening.mock.calls);
  });
});

describe('a run', () => {
  it('keeps a failure that nobody waits for to itself', async () => {
    const unhandled = jest.fn();
    process.once('unhandledRejection', unhandled);
    views.start(define.section('feed', broken), input, exchange).section('feed');
    await turn();
    process.removeListener('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('refuses to wait for a section that is declared later, also without types', async () => {
    const view = define
      .section('a', ({ get }) => (get as (name: string) => Promise<unknown>)('b'))
      .section('b', () => 1);
    const { cause } = await refused(views.start(view, input, exchange).section('a').result);
    expect((cause as Error).cause).toMatchObject({
      message: 'section "a" of the view Page asks for "b", which is not declared before it',
    });
  });

  it('fails the section when its fallback throws', async () => {
    const view = define.section('feed', broken, {
      fallback: () => {
        throw new Error('no stand-in');
      },
    });
    expect(await refused(views.serve(view, input, exchange))).toMatchObject({
      code: 'internal',
      extensions: { section: 'feed' },
    });
    expect(await outcomes()).toEqual({ feed: 'failed' });
  });
});
