import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const TRACE = '80f198ee56343ba864fe8b2a57d3eff7';
const SPAN = 'e457b5a2e4d86bd1';
const SENT = [
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-sampled',
  'x-b3-flags',
  'x-b3-parentspanid',
  'traceparent',
  'tracestate',
];

type Fields = Readonly<Record<string, string | string[]>>;
let upstream: TestUpstream;
/** By what it sends. */
const gateways = new Map<string, TestGateway>();

async function start(send: readonly string[], ratio: string): Promise<TestGateway> {
  const config = {
    version: 1,
    defaults: { policies: { authentication: 'public' } },
    upstreams: { it: { targets: [upstream.url], circuitBreaker: 'off' } },
    routes: [{ id: 'it', match: { path: '/it' }, upstream: 'it' }],
    tracing: { trust: 'all', accept: ['w3c', 'b3'], send, ratio, baggage: ['tenant', 'region'] },
  };
  const gateway = await startGateway({ config: JSON.stringify(config) });
  gateways.set(send.join(), gateway);
  return gateway;
}

beforeAll(async () => {
  upstream = await startUpstream();
  await start(['b3'], '0%');
  await start(['b3multi'], '100%');
});
afterAll(async () => {
  for (const gateway of gateways.values()) await gateway.stop();
  await upstream.stop();
});

/** What a service gets of a request with fields, as far as it says a trace. */
async function heard(send: string, fields: Fields): Promise<Readonly<Record<string, string>>> {
  const answer = await call(`${gateways.get(send)?.url}/it`, { headers: fields as Record<string, string> });
  expect(answer.status).toBe(200);
  const { headers } = upstream.requests.at(-1) ?? {};
  return Object.fromEntries([...SENT, 'baggage'].flatMap((name) => (headers?.[name] === undefined ? [] : [[name, String(headers[name])]])));
} // prettier-ignore

const many = (more: Fields = {}): Fields => ({ 'X-B3-TraceId': TRACE, 'X-B3-SpanId': SPAN, ...more });

describe.each<[string, Fields, string]>([
  ['one field that is sampled', { b3: `${TRACE}-${SPAN}-1` }, '1'],
  ['one field that is not', { b3: `${TRACE}-${SPAN}-0` }, '0'],
  ['one field for debugging', { b3: `${TRACE}-${SPAN}-d` }, 'd'],
  ['one field with a parent', { b3: `${TRACE}-${SPAN}-1-05e3ac9a4f6e3b90` }, '1'],
  ['many fields that are sampled', many({ 'X-B3-Sampled': '1' }), '1'],
  ['many fields that are not', many({ 'X-B3-Sampled': '0' }), '0'],
  ['many fields for debugging', many({ 'X-B3-Flags': '1' }), 'd'],
  ['one field before many', { ...many({ 'X-B3-Sampled': '0' }), b3: `${TRACE}-${SPAN}-1` }, '1'],
  ['W3C before both', { traceparent: `00-${TRACE}-${SPAN}-01`, b3: '0', 'X-B3-Sampled': '0' }, '1'],
])('B3: %s', (_, fields, decision) => {
  it('goes on as one field, with a span of its own', async () => {
    const { b3, ...others } = await heard('b3', fields);
    expect(others).toEqual({});
    expect(b3).toMatch(new RegExp(`^${TRACE}-(?!${SPAN})[0-9a-f]{16}-${decision}$`));
  });

  it('goes on as many fields, without a parent', async () => {
    const { 'x-b3-spanid': spanId, ...others } = await heard('b3multi', fields);
    expect(spanId).toMatch(new RegExp(`^(?!${SPAN})[0-9a-f]{16}$`));
    const said = decision === 'd' ? { 'x-b3-flags': '1' } : { 'x-b3-sampled': decision };
    expect(others).toEqual({ 'x-b3-traceid': TRACE, ...said });
  });
});

describe('B3 without a trace', () => {
  it.each<[string, Fields, string, string]>([
    ['a decision alone', { b3: '1' }, 'b3', '1'],
    ['a decision against it', { b3: '0' }, 'b3multi', '0'],
    ['none, so that the share decides', {}, 'b3', '0'],
    ['none, so that the other share decides', {}, 'b3multi', '1'],
    ['one that cannot be read', { b3: `${TRACE}-${SPAN}-x` }, 'b3', '0'],
  ])('%s: a trace begins', async (_, fields, send, decision) => {
    const said = await heard(send, fields);
    const text = said['b3'] ?? `${said['x-b3-traceid']}-${said['x-b3-spanid']}-${said['x-b3-sampled']}`;
    expect(text).toMatch(new RegExp(`^(?!${TRACE})[0-9a-f]{32}-[0-9a-f]{16}-${decision}$`));
  });
});

describe('baggage', () => {
  const sent = async (baggage: string | string[]) => (await heard('b3', { baggage }))['baggage'];

  it.each<[string, string | string[], string | undefined]>([
    ['keys that are listed', 'tenant=7, user=8;secret=x, region=eu;ttl=1', 'tenant=7,region=eu;ttl=1'],
    ['several fields', ['tenant=7', 'user=8', 'region=eu'], 'tenant=7,region=eu'],
    ['no key that is listed', 'user=8', undefined],
    ['what is no member', 'tenant="7",tenant,region=eu', 'region=eu'],
    ['an empty field', '', undefined],
  ])('goes on with %s', async (_, said, passed) => {
    expect(await sent(said)).toBe(passed);
  });

  it('goes on with 64 members and 8192 bytes at most, none of them cut', async () => {
    const all = Array.from({ length: 70 }, (_, at) => `tenant=${at}`);
    expect(await sent(all.join())).toBe(all.slice(0, 64).join());
    const long = [`tenant=${'x'.repeat(8000)}`, `region=${'y'.repeat(300)}`];
    expect(await sent(long)).toBe(long[0]);
  });
});
