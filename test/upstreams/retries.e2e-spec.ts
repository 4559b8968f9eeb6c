import type { RequestListener } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import { call, speak } from '../support/client.ts';
import { checkGateway, startGateway, type LogLine, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

let gateway: TestGateway;
const stops: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function upstream(...turns: RequestListener[]): Promise<TestUpstream> {
  let turn = 0;
  const one = await startUpstream((request, response) => {
    (turns[Math.min(turn++, turns.length - 1)] as RequestListener)(request, response);
  });
  stops.push(() => one.stop());
  return one;
}

interface Options {
  /** Of the upstream. */
  readonly upstream?: string;
  /** Of the route. */
  readonly route?: string;
}

function configOf(targets: readonly string[], { upstream: more, route }: Options): string {
  return `
version: 1
identity: { issuers: [{ issuer: 'http://127.0.0.1:1', jwks: 'http://127.0.0.1:1/jwks', audiences: [api] }] }
defaults: { policies: { authentication: public } }
upstreams: { it: { targets: ${JSON.stringify(targets)}, circuitBreaker: 'off'${more === undefined ? '' : `, ${more}`} } }
routes: [{ id: it, match: { path: /* }, upstream: it${route === undefined ? '' : `, ${route}`} }]
`;
}

async function start(targets: readonly TestUpstream[], options: Options = {}): Promise<string> {
  const urls = targets.map(({ url }) => url);
  gateway = await startGateway({ config: configOf(urls, options) });
  stops.push(() => gateway.stop());
  return `${gateway.url}/`;
}

const answering =
  (status: number, headers: Record<string, string> = {}): RequestListener =>
  (_, response) =>
    void response.writeHead(status, headers).end(String(status));
const resetting: RequestListener = ({ socket }) => void socket.resetAndDestroy();
const silent: RequestListener = () => undefined;

/** What became of the attempts of the first request. */
async function outcomes(): Promise<readonly string[]> {
  const [line] = await gateway.accessLines(1);
  return ((line as LogLine)['attempts'] as { readonly outcome: string }[]).map(({ outcome }) => outcome);
}

async function refusals(): Promise<readonly string[]> {
  const { text } = await call(`${gateway.adminUrl}/metrics`);
  return text.split('\n').filter((line) => line.startsWith('gatehouse_upstream_retries_refused_total'));
}

const sent = (...targets: TestUpstream[]) => targets.reduce((sum, { requests }) => sum + requests.length, 0);

describe('a connection that fails before the first byte of an answer', () => {
  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])(
    'is made good at the same target when there is no other, for %s',
    async (method) => {
      const only = await upstream(resetting, answering(200));
      expect((await call(await start([only]), { method })).status).toBe(200);
      expect(await outcomes()).toEqual(['reset', '200']);
      expect(only.requests.map((one) => one.method)).toEqual([method, method]);
    },
  );

  it.each(['POST', 'PATCH'])('is the end of a %s, which is never sent twice', async (method) => {
    const only = await upstream(resetting, answering(200));
    expect((await call(await start([only]), { method })).status).toBe(502);
    expect(sent(only)).toBe(1);
  });

  it('is made good for a POST whose key lets the service know it again', async () => {
    const only = await upstream(resetting, answering(200));
    const headers = { 'Idempotency-Key': '"8e03978e"' };
    expect((await call(await start([only]), { method: 'POST', headers })).status).toBe(200);
    expect(only.requests.map((one) => one.headers['idempotency-key'])).toEqual(['"8e03978e"', '"8e03978e"']);
  });

  it('is the end when the service is not told the key', async () => {
    const only = await upstream(resetting, answering(200));
    const route = 'policies: { transform: { request: { removeHeaders: [idempotency-key] } } }';
    const headers = { 'idempotency-key': '"8e03978e"' };
    expect((await call(await start([only], { route }), { method: 'POST', headers })).status).toBe(502);
    expect(sent(only)).toBe(1);
  });

  it('is the end when the key is empty', async () => {
    const only = await upstream(resetting, answering(200));
    const headers = { 'idempotency-key': '' };
    expect((await call(await start([only]), { method: 'POST', headers })).status).toBe(502);
    expect(sent(only)).toBe(1);
  });

  it('is the end of a body that was streamed, whatever key it has', async () => {
    const only = await upstream(resetting, answering(200));
    const headers = { 'idempotency-key': '"8e03978e"' };
    const body = 'x'.repeat(65_537);
    const answer = await call(await start([only]), { method: 'PUT', headers, body });
    expect([answer.status, sent(only)]).toEqual([502, 1]);
  });
});

describe('an answer that has begun', () => {
  it('is never asked for again', async () => {
    const only = await upstream((_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('the beginning', () => response.destroy());
    }, answering(200));
    const url = await start([only]);
    expect(await speak(url, 'GET / HTTP/1.1\r\nhost: x\r\n\r\n')).toMatch(/the beginning$/);
    expect([await outcomes(), sent(only)]).toEqual([['reset'], 1]);
  });
});

describe('`retry.attempts`', () => {
  it.each([
    [1, ['503']],
    [3, ['503', '503', '503']],
    [5, ['503', '503', '503', '503']],
  ])('of %i over two targets makes as many, as long as there is a budget', async (attempts, words) => {
    const [one, two] = [await upstream(answering(503)), await upstream(answering(503))];
    const url = await start([one, two], { upstream: `retry: { attempts: ${attempts} }` });
    expect((await call(url)).status).toBe(503);
    expect(await outcomes()).toEqual(words);
    expect(Math.abs(sent(one) - sent(two))).toBeLessThanOrEqual(1);
  });

  it('of a route counts more than that of its upstream', async () => {
    const [one, two] = [await upstream(answering(503)), await upstream(answering(503))];
    const url = await start([one, two], {
      upstream: 'retry: { attempts: 3 }',
      route: 'retry: { attempts: 1 }',
    });
    await call(url);
    expect(await outcomes()).toEqual(['503']);
  });
});

describe('`retry.on`', () => {
  it.each([
    [429, 'retry: { on: [429] }', undefined, true],
    [500, undefined, 'retry: { on: [500] }', true],
    [503, 'retry: { on: [429] }', undefined, false],
    [503, undefined, 'retry: { on: [] }', false],
    [503, 'retry: { on: [] }', 'retry: { on: [503] }', true],
  ])('decides on a %i: upstream %s, route %s', async (status, ofUpstream, ofRoute, again) => {
    const [one, two] = [await upstream(answering(status)), await upstream(answering(status))];
    const options = {
      ...(ofUpstream === undefined ? {} : { upstream: ofUpstream }),
      ...(ofRoute === undefined ? {} : { route: ofRoute }),
    };
    expect((await call(await start([one, two], options))).status).toBe(status);
    expect(await outcomes()).toHaveLength(again ? 2 : 1);
  });

  it.each([
    ['', 504, ['timeout']],
    ['on: [timeout], ', 200, ['timeout', '200']],
  ])('with "%s" asks another target after a silent one', async (on, status, words) => {
    const [one, two] = [await upstream(silent), await upstream(answering(200))];
    const url = await start([two, one], {
      upstream: `retry: { ${on}budget: 20% }, timeouts: { firstByte: 100ms }`,
    });
    expect((await call(url)).status).toBe(status);
    expect(await outcomes()).toEqual(words);
  });

  it.each([
    ['upstream: it, retry: { budget: 5% }', 'budget'],
    ['upstream: it, retry: { on: [UNAVAILABLE] }', 'expected the number of a status'],
    ['upstream: it, retry: { on: [429, UNAVAILABLE] }', 'routes[it].retry.on[1]'],
    ['upstream: it, retry: { on: [501] }', 'expected a status that another try can change'],
    ['upstream: it, retry: { on: [200] }', 'expected a status that another try can change'],
    ['redirect: { to: /x }, retry: { attempts: 1 }', 'expected no `retry` beside `redirect`'],
  ])('and the rest of a route are checked: %s', async (keys, message) => {
    const config = configOf(['http://127.0.0.1:1'], {}).replace('upstream: it }', `${keys} }`);
    await expect(checkGateway({ config })).rejects.toThrow(message);
  });
});

describe('`Retry-After`', () => {
  it.each([503, 429])('of a %i brings the request back to the only target', async (status) => {
    const only = await upstream(answering(status, { 'retry-after': '0' }), answering(200));
    const url = await start([only], { upstream: 'retry: { on: [429, 503] }' });
    expect((await call(url)).status).toBe(200);
    expect(await outcomes()).toEqual([String(status), '200']);
  });

  it('beyond `maxWait` passes on to the client', async () => {
    const only = await upstream(answering(503, { 'retry-after': '2' }), answering(200));
    const answer = await call(await start([only], { upstream: 'retry: { maxWait: 1s }' }));
    expect([answer.status, answer.headers['retry-after'], sent(only)]).toEqual([503, '2', 1]);
    expect(await refusals()).toEqual([
      'gatehouse_upstream_retries_refused_total{upstream="it",reason="wait"} 1',
    ]);
  });

  it('beyond the deadline passes on to the client', async () => {
    const only = await upstream(answering(503, { 'retry-after': '3' }), answering(200));
    const answer = await call(await start([only], { route: 'policies: { deadline: 2s }' }));
    expect([answer.status, sent(only)]).toEqual([503, 1]);
  });

  it('of one target says nothing about another', async () => {
    const [one, two] = [
      await upstream(answering(503, { 'retry-after': '99' })),
      await upstream(answering(200)),
    ];
    expect((await call(await start([two, one]))).status).toBe(200);
  });

  it('of a 429 is about the client, and so about all targets', async () => {
    const busy = answering(429, { 'retry-after': '99' });
    const [one, two] = [await upstream(busy), await upstream(busy)];
    const answer = await call(await start([one, two], { upstream: 'retry: { on: [429] }' }));
    expect([answer.status, sent(one, two)]).toEqual([429, 1]);
  });

  it('is not waited for once the client has left', async () => {
    const only = await upstream(answering(503, { 'retry-after': '4' }), answering(200));
    const url = await start([only]);
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    const given = 'gatehouse_upstream_attempts_total{upstream="it",outcome="503"} 1';
    while (!(await call(`${gateway.adminUrl}/metrics`)).text.includes(given)) await sleep(5);
    socket.destroy();
    const [line] = await gateway.accessLines(1);
    expect([line?.['status'], await outcomes()]).toEqual([499, ['503']]);
    expect(sent(only)).toBe(1);
  });
});

describe('`retry.budget`', () => {
  it('allows no storm: three retries, and a fifth of the requests; the rest is refused, and counted', async () => {
    const [one, two] = [await upstream(answering(503)), await upstream(answering(503))];
    const url = await start([one, two]);
    for (let i = 0; i < 20; i += 1) await call(url);
    expect(sent(one, two)).toBe(20 + 3 + 4);
    expect(await refusals()).toEqual([
      'gatehouse_upstream_retries_refused_total{upstream="it",reason="budget"} 13',
    ]);
  });

  it('of 0% allows none', async () => {
    const [one, two] = [await upstream(answering(503)), await upstream(answering(503))];
    await call(await start([one, two], { upstream: 'retry: { budget: 0% }' }));
    expect(sent(one, two)).toBe(1);
  });
});
