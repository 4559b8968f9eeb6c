import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
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
import { Concurrency } from '../../src/policies/concurrency/concurrency.policy.ts';
import { LoadShedding } from '../../src/policies/load-shedding/load-shedding.policy.ts';
import type { UpstreamView } from '../../src/upstreams/health/health-view.ts';
import { call, type Answer } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { KindsServer } from '../support/kinds-server.ts';
import { reload, until } from '../support/reload.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const getPart = httpUpstream('viewed').get<object, unknown>('parts.get', '/part', { decode: z.unknown() });

@Controller('view')
@Public()
@CircuitBreaker({ consecutiveFailures: 1, openFor: '1h' })
class ViewController {
  constructor(private readonly caller: Caller) {}

  @Get('concurrency-limited')
  @Concurrency({ max: 1, queue: 0 })
  limited(@CurrentExchange() exchange: Exchange): Promise<unknown> {
    return this.#get(exchange);
  }

  @Get('upstream-saturated')
  saturated(@CurrentExchange() exchange: Exchange): Promise<unknown> {
    return this.#get(exchange);
  }

  @Get('load-shed')
  @LoadShedding('low')
  shed(@CurrentExchange() exchange: Exchange): Promise<unknown> {
    return this.#get(exchange);
  }

  #get(exchange: Exchange): Promise<unknown> {
    return this.caller.call(getPart, {}, { exchange, timeoutMs: Infinity });
  }
}

@Module({ imports: [CallsModule], controllers: [ViewController] })
class ViewModule {}

/** What refuses, and what has it do so. */
const REFUSALS = {
  'concurrency-limited': { concurrency: { max: 1, queue: 0 } },
  'upstream-saturated': {},
  'load-shed': { loadShedding: 'low' },
} as const;
type Refusal = keyof typeof REFUSALS;
const rows = Object.keys(REFUSALS) as Refusal[];

const kinds = new KindsServer();
let behind: TestUpstream;
/** Where a canary is that is not one. */
let spare: TestUpstream;
let gateway: TestGateway;

function configOf(policies: object): object {
  // One that fails once is not asked again.
  const canaryOf = (url: string, none: string) => ({
    targets: [
      { url, labels: { track: 'canary' } },
      { url: none, labels: { track: 'stable' } },
    ],
    maxRequests: 1,
    maxQueued: 0,
    retry: { attempts: 1 },
    circuitBreaker: { consecutiveFailures: 1, openFor: '1h' },
    health: { passive: { failures: 1, ejectFor: '1h' } },
  });
  const http = canaryOf(behind.url, spare.url);
  const grpc = { ...canaryOf(kinds.url, 'grpc://127.0.0.1:1'), protocol: 'grpc' };
  const canary = { to: { track: 'canary' }, weight: '100%', rollback: true, warmUp: '0ms' };
  const open = { authentication: 'public', ...policies };
  return {
    version: 1,
    modules: ['ViewModule'],
    // A threshold that any process is over.
    loadShedding: { memory: { from: '0%', full: '0.001%' }, enterAfter: '0s' },
    upstreams: {
      forwarded: http,
      viewed: { ...http, subset: { track: 'canary' } },
      translated: { ...grpc, subset: { track: 'canary' }, descriptorSet: 'proto/test/kinds.binpb' },
    },
    routes: [
      { id: 'forwarded', match: { path: '/forwarded' }, upstream: 'forwarded', canary, policies: open },
      { id: 'translated', upstream: 'translated', grpc: { service: 'test.v1.Kinds' }, policies: open },
    ],
  };
}

let held: ServerResponse[] = [];

beforeAll(async () => {
  const hold: RequestListener = (_request, response) => void held.push(response);
  [behind, spare] = await Promise.all([startUpstream(hold), startUpstream(hold)]);
  await kinds.start();
  const { modules: _, ...config } = configOf({}) as { modules: unknown };
  gateway = await startGateway({ config: JSON.stringify(config), modules: [ViewModule] });
});
afterAll(async () => {
  await gateway.stop();
  await Promise.all([behind.stop(), spare.stop()]);
  kinds.stop();
});

const ask = (path: string): Promise<Answer> => call(gateway.url + path);
const doorsOf = (refusal: Refusal): string[] => ['/forwarded', '/test/items/a', `/view/${refusal}`];
const codeOf = (answer: Answer): unknown => (answer.status < 400 ? answer.status : answer.json()['code']);

/** What is known of all targets that are asked: whether they can be, and what has become of their breakers. */
async function healthOf(): Promise<Record<string, unknown>> {
  const views = (await call(`${gateway.adminUrl}/upstreams`)).json<readonly UpstreamView[]>();
  return Object.fromEntries(
    views.map(({ upstream, targets }) => {
      const [{ available, breaker } = {} as never] = targets;
      return [upstream, [available, breaker?.state, breaker?.ejections, breaker?.history.length]];
    }),
  );
}

/** Numbers of a counter that are not 0, by their labels. */
async function counted(name: string): Promise<string[]> {
  const { text } = await call(`${gateway.adminUrl}/metrics`);
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) && !line.endsWith(' 0'))
    .map((line) => line.slice(name.length))
    .sort();
}

const WELL = [true, 'closed', 0, 0];

describe('breakers, ejection, and canaries', () => {
  it('hear nothing of what the gateway refuses because it, a route, or an upstream has too much to do', async () => {
    await reload(gateway, configOf(REFUSALS['concurrency-limited']));
    const underWay = Promise.withResolvers<void>();
    kinds.hold = underWay.promise;
    const first = doorsOf('concurrency-limited').map(ask);
    await until(() => held.length === 2 && kinds.calls === 1);
    for (const refusal of rows) {
      expect((await reload(gateway, configOf(REFUSALS[refusal]))).outcome).not.toBe('rejected');
      if (refusal === 'upstream-saturated') {
        // The others stand in for a canary that is full.
        first.push(ask('/forwarded'));
        await until(() => held.length === 3);
      }
      for (let turn = 0; turn < 3; turn += 1) {
        const answers = await Promise.all(doorsOf(refusal).map(ask));
        expect(answers.map(codeOf)).toEqual([refusal, refusal, refusal]);
      }
    }
    for (const response of held.splice(0)) response.setHeader('content-type', 'application/json').end('{}');
    underWay.resolve();
    expect((await Promise.all(first)).map(codeOf)).toEqual([200, 200, 200, 200]);
    expect(await healthOf()).toEqual({ forwarded: WELL, viewed: WELL, translated: WELL });
    expect(await counted('gatehouse_canary_attempts_total')).toEqual([
      '{route="forwarded",side="canary",outcome="success"} 1',
      '{route="forwarded",side="stable",outcome="success"} 1',
    ]);
    expect(await counted('gatehouse_upstream_attempts_total')).toEqual([
      '{upstream="forwarded",outcome="200"} 2',
      '{upstream="translated",outcome="OK"} 1',
      '{upstream="viewed",outcome="200"} 1',
    ]);
  });

  it('hear of what fails, by then as well', async () => {
    await reload(gateway, configOf(REFUSALS['upstream-saturated']));
    behind.listener = (_request, response) => void response.writeHead(500).end();
    kinds.refusal = { code: 14, details: 'gone' };
    for (const path of doorsOf('upstream-saturated'))
      expect((await ask(path)).status).toBeGreaterThanOrEqual(500);
    for (const facts of Object.values(await healthOf()))
      expect(facts).toEqual([false, 'open', expect.any(Number), 1]);
    expect((await ask('/view/upstream-saturated')).json()).toMatchObject({ code: 'circuit-open' });
    expect(await counted('gatehouse_canary_attempts_total')).toHaveLength(3);
  });
});
