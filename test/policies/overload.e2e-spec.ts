import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import type { RequestListener, ServerResponse } from 'node:http';
import { z } from 'zod';
import { Caller } from '../../src/calls/caller.ts';
import { CallsModule } from '../../src/calls/calls.module.ts';
import { httpUpstream } from '../../src/calls/http-upstream.ts';
import { CurrentExchange } from '../../src/exchange/exchange-of.ts';
import type { Exchange } from '../../src/exchange/exchange.ts';
import { Public } from '../../src/policies/authentication/authentication.policy.ts';
import { CircuitBreaker } from '../../src/policies/circuit-breaker/circuit-breaker.policy.ts';
import { LoadShedding } from '../../src/policies/load-shedding/load-shedding.policy.ts';
import { RawClient, until } from '../support/body-doors.ts';
import type { Answer } from '../support/client.ts';
import { sampleLogin } from '../support/sample-login.ts';
import { API_KEY, startShop, type RouteInput, type Shop } from '../support/shop.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const getBusy = httpUpstream('busy').get<object, unknown>('busy.get', '/busy', { decode: z.unknown() });

@Controller('guarded')
@Public()
@LoadShedding('off')
@CircuitBreaker({ consecutiveFailures: 1, openFor: '1h' })
class GuardedController {
  constructor(private readonly caller: Caller) {}

  @Get()
  get(@CurrentExchange() exchange: Exchange): Promise<unknown> {
    return this.caller.call(getBusy, {}, { exchange, timeoutMs: Infinity });
  }
}

@Module({ imports: [CallsModule], controllers: [GuardedController] })
class GuardedModule {}

const route = (id: string, policies: object, upstream = 'plain'): RouteInput => ({
  id,
  match: { path: `/${id}` },
  upstream,
  policies: { authentication: 'public', ...policies },
});

let shop: Shop;
let behind: TestUpstream;
/** What is under way behind the gateway, as its paths. */
let held: { readonly path: string; readonly response: ServerResponse }[] = [];
const hold: RequestListener = (request, response) => {
  const one = { path: request.url ?? '', response };
  held.push(one);
  response.once('close', () => (held = held.filter((other) => other !== one)));
};
const free = (): void => {
  for (const { response } of held.splice(0)) response.end('{}');
};

beforeAll(async () => {
  behind = await startUpstream(hold);
  const breaker = { circuitBreaker: { consecutiveFailures: 1, openFor: '1h' }, retry: { attempts: 1 } };
  shop = await startShop({
    modules: [GuardedModule],
    policies: { loadShedding: 'low' },
    identity: ({ identity }) => ({
      revocation: { onStoreError: 'open' },
      login: sampleLogin(identity.issuer),
    }),
    // A threshold that any process is over.
    more: { loadShedding: { memory: { from: '0%', full: '0.001%' }, enterAfter: '0s' } },
    upstreams: () => ({
      plain: { targets: [behind.url], circuitBreaker: 'off', retry: { attempts: 1 } },
      busy: { targets: [behind.url], maxRequests: 1, maxQueued: 0, ...breaker },
      adaptive: {
        targets: [behind.url],
        adaptiveConcurrency: { initial: 4, max: 4 },
        maxQueued: 2,
        timeouts: { queue: '10s' },
        ...breaker,
      },
    }),
    routes: [
      route('capped', { loadShedding: 'off', concurrency: { max: 2, queue: 1, wait: '10s' } }),
      route('single', { loadShedding: 'off', concurrency: { max: 1, queue: 0 } }),
      route('late', { loadShedding: 'off', deadline: '150ms', concurrency: { max: 1, wait: '10s' } }),
      route('busy', { loadShedding: 'off' }, 'busy'),
      route('turns', {
        loadShedding: 'off',
        authentication: { schemes: ['apiKey'], optional: true },
        concurrency: { max: 1, queue: 100, wait: '10s' },
      }),
      route('adaptive', { loadShedding: 'off' }, 'adaptive'),
      route('shed', { authentication: { schemes: ['jwt'] } }),
      route('kept', { loadShedding: 'critical' }),
    ],
  });
});

afterEach(async () => {
  behind.listener = hold;
  free();
  await until(() => held.length === 0);
});
afterAll(async () => {
  free();
  await shop.stop();
  await behind.stop();
});

const codeOf = (answer: Answer): unknown => (answer.status < 400 ? answer.status : answer.json()['code']);
const under = (path: string): number => held.filter((one) => one.path === path).length;

/** Asks, over a connection of its own, and can leave. */
const client = (path: string, fields = ''): RawClient => {
  const one = new RawClient(shop.gateway.url);
  one.socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n${fields}\r\n`);
  return one;
};
const statusIn = ({ heard }: RawClient): string => heard.slice(9, 12);

describe('a route with a limit of requests under way', () => {
  it('has so many behind it, has so many wait, and refuses the next at once', async () => {
    const all = [shop.call('/capped'), shop.call('/capped')];
    await until(() => under('/capped') === 2);
    const waiting = shop.call('/capped');
    const other = shop.call('/capped');
    const refused = await Promise.race([waiting, other]);
    expect([refused.status, codeOf(refused)]).toEqual([503, 'concurrency-limited']);
    expect(refused.headers['retry-after']).toBe('1');
    expect(under('/capped')).toBe(2);
    held.shift()?.response.end('{}');
    await until(() => under('/capped') === 2);
    free();
    const answers = await Promise.all([...all, waiting, other]);
    expect(answers.map(codeOf).sort()).toEqual([200, 200, 200, 'concurrency-limited']);
    const shown = await shop.metrics();
    expect(shown).toContain(
      'gatehouse_request_duration_seconds_count{route="capped",method="GET",status="refused"} 1',
    );
    expect(shown).not.toMatch(/duration_seconds_count\{route="capped",method="GET",status="5xx"\}/);
    expect(shown).toContain(
      'gatehouse_overload_refusals_total{route="capped",code="concurrency-limited",by="route"} 1',
    );
    expect(await shop.lineOf(refused)).toMatchObject({ status: 503, refused: { by: 'route' } });
  });

  it.each<[string, () => void]>([
    [
      'is cut off by the service within its answer',
      () => {
        behind.listener = (_request, response) => {
          response.writeHead(200, { 'content-length': 10 }).write('half');
          setImmediate(() => response.destroy());
        };
      },
    ],
    ['is reset by the service', () => (behind.listener = (request) => request.socket.destroy())],
  ])('gives back the place of an answer that %s', async (_what, breaks) => {
    breaks();
    const cut = client('/single');
    await Promise.race([cut.closed, cut.until((heard) => heard.includes('502'))]);
    behind.listener = (_request, response) => response.end('{}');
    await until(() => cut.socket.destroyed || statusIn(cut) === '502');
    expect(codeOf(await shop.call('/single'))).toBe(200);
  });

  it('gives back the places of clients that leave, under way and in the queue', async () => {
    const [first, second] = [client('/capped'), client('/capped')];
    await until(() => under('/capped') === 2);
    const waiting = client('/capped');
    await shop.gateway.linesWhere(() => true);
    waiting.socket.destroy();
    first.socket.destroy();
    await until(() => under('/capped') === 1);
    const next = client('/capped');
    await until(() => under('/capped') === 2);
    expect([statusIn(second), statusIn(next)]).toEqual(['', '']);
    free();
    await Promise.all([second.answer(), next.answer()]);
    expect([statusIn(second), statusIn(next)]).toEqual(['200', '200']);
  });

  it('serves callers in turn: one that floods it waits behind itself', async () => {
    const first = client('/turns');
    await until(() => under('/turns') === 1);
    const flood = Array.from({ length: 20 }, () => client('/turns'));
    const waiting = async (count: number): Promise<void> => {
      const shown = `gatehouse_concurrency_queued{route="turns",key="route"} ${count}\n`;
      while (!(await shop.metrics()).includes(shown)) await new Promise(setImmediate);
    };
    await waiting(20);
    const other = client('/turns', `x-api-key: ${API_KEY}\r\n`);
    await waiting(21);
    let served = 0;
    for (; statusIn(other) === ''; await new Promise(setImmediate)) {
      served += held.length;
      free();
    }
    expect(statusIn(other)).toBe('200');
    // The first, one of the flood, and the other; or one more of the flood before the answer was heard.
    expect(served).toBeLessThanOrEqual(4);
    for (const one of [first, ...flood]) one.socket.destroy();
  });

  it('lets nobody wait beyond the deadline', async () => {
    const first = client('/late');
    await until(() => under('/late') === 1);
    expect(codeOf(await shop.call('/late'))).toBe('deadline-exceeded');
    first.socket.destroy();
  });
});

describe('an upstream whose targets are full', () => {
  it('is no fault of anybody: neither its breaker nor that of a handler hears of it, and metrics tell it apart', async () => {
    const first = client('/busy');
    await until(() => under('/busy') === 1);
    const refused = [await shop.call('/busy'), await shop.call('/guarded'), await shop.call('/guarded')];
    expect(refused.map(codeOf)).toEqual(['upstream-saturated', 'upstream-saturated', 'upstream-saturated']);
    expect(refused.map(({ headers }) => headers['retry-after'])).toEqual(['1', '1', '1']);
    free();
    await first.answer();
    behind.listener = (_request, response) =>
      response.setHeader('content-type', 'application/json').end('{}');
    expect([codeOf(await shop.call('/busy')), codeOf(await shop.call('/guarded'))]).toEqual([200, 200]);
    const shown = await shop.metrics();
    expect(shown).toContain('code="upstream-saturated",by="busy"} 2');
    expect(shown).toContain('gatehouse_breaker_state{upstream="busy"');
    expect(shown).not.toMatch(/gatehouse_upstream_attempts_total\{upstream="busy",outcome="(?!200)/);
  });

  it('has no more waiting for an answer than its adaptive limit, which bodies that stream do not count for', async () => {
    const all = Array.from({ length: 10 }, () => shop.call('/adaptive'));
    await until(() => under('/adaptive') === 4);
    const early = await Promise.all(all.map((one) => Promise.race([one.then(codeOf), until(() => true)])));
    expect(early.filter((code) => code !== undefined && code !== 'upstream-saturated')).toEqual([]);
    expect(under('/adaptive')).toBe(4);
    const shown = await shop.metrics();
    expect(shown).toMatch(/gatehouse_target_concurrency_limit\{upstream="adaptive",target="[^"]+"\} 4/);
    expect(shown).toMatch(/gatehouse_target_concurrency_in_flight\{upstream="adaptive",target="[^"]+"\} 4/);
    // Answers that have begun and go on.
    const begun = held.splice(0).map(({ response }) => response);
    for (const response of begun) response.writeHead(200).write('a');
    await until(() => under('/adaptive') === 2);
    for (const response of begun) response.end();
    free();
    const codes = (await Promise.all(all)).map(codeOf);
    expect(codes.filter((code) => code === 200)).toHaveLength(6);
    expect(codes.filter((code) => code === 'upstream-saturated')).toHaveLength(4);
  });
});

describe('a gateway that has too much to do', () => {
  it('refuses by class before it asks who calls, and reads nothing of a body', async () => {
    const refused = await shop.call('/shed', { headers: { authorization: 'Bearer nonsense' } });
    expect([refused.status, codeOf(refused)]).toEqual([503, 'load-shed']);
    expect(refused.headers['retry-after']).toMatch(/^[2-8]$/);
    const sender = new RawClient(shop.gateway.url);
    sender.post({ path: '/shed', fields: 'Expect: 100-continue\r\n' }, { length: 1_000_000 });
    expect((await sender.answer()).startsWith('HTTP/1.1 503')).toBe(true);
    expect(sender.heard).not.toContain('100 Continue');
    sender.socket.destroy();
    expect(await shop.metrics()).toMatch(/refusals_total\{route="shed",code="load-shed",by="low"\} \d/);
  });

  it('lets everybody out who wants out, and nobody in', async () => {
    expect(codeOf(await shop.call('/login'))).toBe('load-shed');
    const out = [await shop.call('/logout'), await shop.call('/logout/backchannel', { method: 'POST' })];
    expect(out.map(codeOf)).not.toContain('load-shed');
    expect(out.map(({ status }) => status)).not.toContain(503);
  });

  it('always answers what is critical, whoever watches over it, and its operators', async () => {
    behind.listener = (_request, response) => response.end('{}');
    const paths = ['/kept', '/health/live', '/health/ready'];
    expect(await Promise.all(paths.map(async (path) => (await shop.call(path)).status))).toEqual([
      200, 200, 200,
    ]);
    expect(await shop.metrics()).toMatch(/gatehouse_load_shedding_level (0\.[5-9]|1)/);
  });
});
