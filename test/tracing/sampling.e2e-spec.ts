import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { CollectedSpan } from '../support/collected-spans.ts';
import { call, type Answer } from '../support/client.ts';
import { Collector, otelVariables, setVariables } from '../support/collector.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const PARENT = '00f067aa0ba902b7';
let collector: Collector;
let upstream: TestUpstream;
let restore: () => void;
const gateways: TestGateway[] = [];

beforeAll(async () => {
  [collector, upstream] = await Promise.all([new Collector().start(), startUpstream()]);
  restore = setVariables(otelVariables(collector.url));
});
afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  await Promise.all([collector.stop(), upstream.stop()]);
  restore();
});

const route = (id: string, to: string) => ({ id, match: { path: `/${id}` }, upstream: to });

async function start(
  tracing: unknown,
  environment: Readonly<Record<string, string>> = otelVariables(collector.url),
): Promise<TestGateway> {
  const once = { circuitBreaker: 'off', retry: { attempts: 1 } };
  const config = {
    version: 1,
    defaults: { policies: { authentication: 'public' } },
    upstreams: {
      echo: { targets: [upstream.url], ...once },
      gone: { targets: ['http://127.0.0.1:1'], ...once },
    },
    routes: [route('echo', 'echo'), route('always', 'echo'), route('gone', 'gone'), route('quiet', 'gone')],
    ...(tracing === undefined ? {} : { tracing }),
  };
  const gateway = await startGateway({ config: JSON.stringify(config), environment });
  gateways.push(gateway);
  return gateway;
}

const heard = (): Readonly<Record<string, unknown>> => upstream.requests.at(-1)?.headers ?? {};

let made = 0;
const newTrace = (): string => (made += 1).toString(16).padStart(32, 'b');

async function traceOf(gateway: TestGateway, answer: Answer): Promise<string> {
  const id = answer.headers['x-request-id'];
  const [line] = await gateway.linesWhere((one) => one['id'] === id && one.msg === 'exchange');
  return String(line?.['traceId']);
}

const noneOf = (spans: readonly CollectedSpan[], traceId: string): boolean =>
  !spans.some((span) => span.traceId === traceId);

describe('a share of 0%', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    const routes = { always: { ratio: '100%' }, quiet: { errors: false } };
    gateway = await start({ ratio: '0%', trust: 'all', routes });
  });

  it('keeps nothing of what goes well, and tells services so', async () => {
    const answer = await call(`${gateway.url}/echo`);
    expect(heard()['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-02$/);
    expect(heard()).not.toHaveProperty('tracestate');
    const traceId = await traceOf(gateway, answer);
    // One that is kept comes later than it would have.
    await collector.traceOf(await traceOf(gateway, await call(`${gateway.url}/always`)));
    expect(noneOf(collector.spans, traceId)).toBe(true);
  });

  it('keeps what fails, with its attempts, and says that it was kept afterwards', async () => {
    const answer = await call(`${gateway.url}/gone`);
    const spans = await collector.traceOf(await traceOf(gateway, answer));
    const server = spans.find(({ kind }) => kind === 'server');
    expect(server).toMatchObject({ status: 'error', attributes: { 'gatehouse.kept': 'afterwards' } });
    expect(spans.find(({ kind }) => kind === 'client')).toMatchObject({
      parentId: server?.spanId,
      status: 'error',
    });
  });

  it('does not, where a route says so', async () => {
    const traceId = await traceOf(gateway, await call(`${gateway.url}/quiet`));
    await collector.traceOf(await traceOf(gateway, await call(`${gateway.url}/always`)));
    expect(noneOf(collector.spans, traceId)).toBe(true);
  });

  it('goes by the share of a route, and says the threshold', async () => {
    const answer = await call(`${gateway.url}/always`);
    expect(heard()).toMatchObject({ traceparent: expect.stringMatching(/-03$/), tracestate: 'ot=th:0' });
    const [span] = await collector.traceOf(await traceOf(gateway, answer));
    expect(span).toMatchObject({ state: 'ot=th:0' });
  });

  it('goes by what a trusted caller has decided', async () => {
    const traceId = newTrace();
    const headers = { traceparent: `00-${traceId}-${PARENT}-01`, tracestate: 'a=1, b=2' };
    await call(`${gateway.url}/echo`, { headers });
    expect(heard()).toMatchObject({ tracestate: 'a=1,b=2' });
    const spans = await collector.traceOf(traceId);
    expect(spans.find(({ kind }) => kind === 'server')).toMatchObject({ parentId: PARENT });
  });
});

describe('a caller who is not trusted', () => {
  it('gets a trace that begins, with a link to its own', async () => {
    const gateway = await start({ trust: ['192.0.2.0/24'] });
    const traceId = newTrace();
    const headers = {
      traceparent: `00-${traceId}-${PARENT}-00`,
      tracestate: 'a=1',
      baggage: 'tenant=7',
    };
    const answer = await call(`${gateway.url}/echo`, { headers });
    expect(String(heard()['traceparent'])).not.toContain(traceId);
    expect(heard()).not.toHaveProperty('baggage');
    const own = await traceOf(gateway, answer);
    const server = (await collector.traceOf(own)).find(({ kind }) => kind === 'server');
    expect(server).toMatchObject({ parentId: '', links: [{ traceId, spanId: PARENT }] });
  });

  it('is everybody, unless there are trusted proxies', async () => {
    const gateway = await start(undefined);
    const traceId = newTrace();
    await call(`${gateway.url}/echo`, { headers: { traceparent: `00-${traceId}-${PARENT}-01` } });
    expect(String(heard()['traceparent'])).not.toContain(traceId);
  });
});

describe('what takes long', () => {
  it('is kept', async () => {
    const gateway = await start({ ratio: '0%', slow: '0ms' });
    const spans = await collector.traceOf(await traceOf(gateway, await call(`${gateway.url}/echo`)));
    expect(spans.map(({ kind }) => kind).toSorted()).toEqual(['client', 'server']);
  });
});

describe('OTEL_TRACES_SAMPLER', () => {
  it('says the share, unless the file does', async () => {
    const environment = otelVariables(collector.url, { OTEL_TRACES_SAMPLER: 'parentbased_always_off' });
    const off = await start(undefined, environment);
    await call(`${off.url}/echo`);
    expect(heard()['traceparent']).toMatch(/-02$/);
    const on = await start({ ratio: '100%' }, environment);
    await call(`${on.url}/echo`);
    expect(heard()['traceparent']).toMatch(/-03$/);
  });
});

describe('formats', () => {
  it('are B3 where that is accepted and sent, with the attempt as the parent', async () => {
    const gateway = await start({
      trust: 'all',
      accept: ['b3'],
      send: ['b3', 'b3multi'],
      baggage: ['tenant'],
    });
    const traceId = newTrace().slice(16);
    const headers = {
      'X-B3-TraceId': traceId,
      'X-B3-SpanId': PARENT,
      'X-B3-Sampled': '1',
      baggage: 'tenant=7;p=1,user=8',
    };
    await call(`${gateway.url}/echo`, { headers });
    const whole = traceId.padStart(32, '0');
    const spans = await collector.traceOf(whole);
    const attempt = spans.find(({ kind }) => kind === 'client');
    expect(heard()).toMatchObject({
      b3: `${whole}-${attempt?.spanId}-1`,
      'x-b3-traceid': whole,
      'x-b3-spanid': attempt?.spanId,
      'x-b3-sampled': '1',
      baggage: 'tenant=7;p=1',
    });
    expect(heard()).not.toHaveProperty('traceparent');
    expect(spans.find(({ kind }) => kind === 'server')?.parentId).toBe(PARENT);
  });

  it('pass as they come where nothing is said and nothing exported', async () => {
    const gateway = await start(undefined, {});
    const traceId = newTrace();
    const headers = { traceparent: `00-${traceId}-${PARENT}-01`, tracestate: 'a=1', b3: '0', baggage: 'a=1' };
    await call(`${gateway.url}/echo`, { headers });
    expect(heard()).toMatchObject({
      traceparent: expect.stringMatching(`^00-${traceId}-`),
      tracestate: 'a=1',
      b3: '0',
      baggage: 'a=1',
    });
  });

  it('follow the file where nothing is exported', async () => {
    const gateway = await start({ trust: 'all', send: ['w3c', 'b3'] }, {});
    const traceId = newTrace();
    await call(`${gateway.url}/echo`, { headers: { traceparent: `00-${traceId}-${PARENT}-01`, b3: '0' } });
    expect(heard()['b3']).toMatch(new RegExp(`^${traceId}-[0-9a-f]{16}-1$`));
    expect(heard()['traceparent']).toMatch(new RegExp(`^00-${traceId}-`));
  });
});
