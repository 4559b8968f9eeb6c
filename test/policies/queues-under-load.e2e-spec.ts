import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { RequestListener, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../support/body-doors.ts';
import { call, type Answer } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const ORDERED = { max: 1, queue: 20, wait: '2s' };

let behind: TestUpstream;
let gateway: TestGateway;
let held: { readonly path: string; readonly response: ServerResponse }[] = [];
const hold: RequestListener = (request, response) => {
  const one = { path: request.url ?? '', response };
  held.push(one);
  response.once('close', () => (held = held.filter((other) => other !== one)));
};

beforeAll(async () => {
  behind = await startUpstream(hold);
  const route = (id: string, policies: object, upstream = 'it') => ({
    id,
    match: { path: `/${id}/*` },
    upstream,
    policies: { authentication: 'public', ...policies },
  });
  const config = {
    version: 1,
    floodLimit: 'off',
    loadShedding: {
      memory: 'off',
      eventLoopDelay: 'off',
      queueTime: { from: '1ms', full: '2ms' },
      enterAfter: '0s',
    },
    upstreams: {
      it: { targets: [behind.url], retry: { attempts: 1 }, circuitBreaker: 'off' },
      few: {
        targets: [behind.url],
        maxInFlight: 2,
        queueOrder: 'adaptive',
        timeouts: { queue: '10s' },
        circuitBreaker: 'off',
      },
    },
    routes: [
      route('low', { loadShedding: 'low' }),
      route('queued', { concurrency: { max: 1, queue: 20, wait: '20s' } }),
      route('few', {}, 'few'),
      route('fifo', { concurrency: ORDERED }),
      route('adaptive', { concurrency: { ...ORDERED, order: 'adaptive' } }),
    ],
  };
  gateway = await startGateway({ config: JSON.stringify(config) });
});
const free = (): void => {
  for (const { response } of held.splice(0)) response.end('{}');
};
afterEach(async () => {
  behind.listener = (_, response) => response.end('{}');
  free();
  await until(() => held.length === 0);
});
afterAll(async () => {
  await gateway.stop();
  await behind.stop();
});

const ask = (path: string): Promise<Answer> => call(gateway.url + path);
const metrics = async (): Promise<string> => (await call(`${gateway.adminUrl}/metrics`)).text;
const valueOf = async (series: string): Promise<number> => {
  const line = (await metrics()).split('\n').find((one) => one.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1) ?? NaN);
};

describe('queues under load', () => {
  it('that stand have requests of other routes refused by class, where the file says so, and no more once they do not', async () => {
    behind.listener = hold;
    const waiting = Array.from({ length: 3 }, (_, index) => ask(`/queued/${index}`));
    await until(() => held.length === 1);
    const pressure = () => valueOf('gatehouse_load_pressure{sensor="queueTime"}');
    while ((await pressure()) !== 1) await sleep(20);
    const refused = async (): Promise<boolean> => {
      const { status, text } = await ask('/low/x');
      return status === 503 && text.includes('load-shed');
    };
    behind.listener = (_, response) => response.end('{}');
    while (!(await refused())) await sleep(20);
    free();
    for (const { status } of await Promise.all(waiting)) expect(status).toBe(200);
    while ((await pressure()) !== 0) await sleep(20);
  });

  it('of an upstream with `maxInFlight` are seen by metrics and by who asks what a request would meet', async () => {
    behind.listener = hold;
    const all = [ask('/few/1'), ask('/few/2'), ask('/few/3')];
    await until(() => held.length === 2);
    expect(await valueOf('gatehouse_upstream_in_flight{upstream="few"}')).toBe(2);
    expect(await valueOf('gatehouse_upstream_in_flight_limit{upstream="few"}')).toBe(2);
    const told = await call(`${gateway.adminUrl}/explain`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ request: 'GET /few/x' }),
    });
    expect(told.text).toContain('2 of 2 calls under way; it would have to wait for its turn');
    behind.listener = (_, response) => response.end('{}');
    free();
    for (const { status } of await Promise.all(all)) expect(status).toBe(200);
    expect(await valueOf('gatehouse_upstream_in_flight{upstream="few"}')).toBe(0);
  });

  it.each([
    ['fifo', '1'],
    ['adaptive', '3'],
  ])('that stand serve as `order: %s` says', async (order, next) => {
    behind.listener = hold;
    const first = ask(`/${order}/0`);
    await until(() => held.length === 1);
    const early = ask(`/${order}/early`);
    const all: Promise<Answer>[] = [];
    // Somebody waits for longer than one may.
    await sleep(1500);
    all.push(ask(`/${order}/1`));
    await sleep(20);
    all.push(ask(`/${order}/2`));
    expect((await early).status).toBe(503);
    await sleep(20);
    all.push(ask(`/${order}/3`));
    await sleep(20);
    const [one] = held;
    one?.response.end('{}');
    await until(() => held.some(({ path }) => !path.endsWith('/0')));
    expect(held.map(({ path }) => path).at(-1)).toBe(`/${order}/${next}`);
    behind.listener = (_, response) => response.end('{}');
    free();
    await Promise.all([first, ...all]);
  });
});
