import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Query, Resolver, Subscription } from '@nestjs/graphql';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { z } from 'zod';
import {
  startNotifications,
  type NotificationsService,
} from '../../../../examples/services/notifications.ts';
import { startUpstream, type TestUpstream } from '../../../../test/support/upstream.ts';
import { Caller } from '../../../calls/caller.ts';
import { CallsModule } from '../../../calls/calls.module.ts';
import { httpUpstream } from '../../../calls/http-upstream.ts';
import {
  watchNotifications,
  type WatchedNotification,
} from '../../../routes/services/notifications.calls.ts';
import { CurrentExchange } from '../../../exchange/exchange-of.ts';
import { Exchange } from '../../../exchange/exchange.ts';
import { DeadlineStageFactory } from '../../../policies/deadline/deadline.stage.ts';
import { policyRegistry } from '../../../policies/order.ts';
import type { StageFactory } from '../../../policies/stage-factory.ts';
import { startBff, testPrincipal, type BffApp } from '../../bff-app.fixture.ts';
import { Calls } from '../fields/calls.decorator.ts';
import { postTo } from '../graphql-client.fixture.ts';

interface Thing {
  readonly id: string;
}

const getThing = httpUpstream('things').get<Thing, Thing>('entries.thing', '/things/{id}', {
  decode: z.object({ id: z.string() }),
});

@Resolver()
class SourcesResolver {
  constructor(private readonly caller: Caller) {}

  /** Ends with its deadline, whatever becomes of its call. */
  @Calls(getThing)
  @Query(() => String, { nullable: true })
  stuck(@CurrentExchange() exchange: Exchange): Promise<string> {
    this.caller.call(getThing, { id: 'held' }, { exchange, timeoutMs: Infinity }).catch(() => undefined);
    return new Promise(() => {});
  }

  @Subscription(() => String, { resolve: ({ id }: WatchedNotification) => id })
  watched(@CurrentExchange() exchange: Exchange): AsyncIterable<WatchedNotification> {
    return this.caller.stream(watchNotifications, { backlog: 2, count: 2 }, { exchange });
  }

  /** Calls before it opens its source, and for each event. */
  @Subscription(() => String)
  async enriched(@CurrentExchange() exchange: Exchange): Promise<AsyncIterable<object>> {
    const ask = (id: string) => this.caller.call(getThing, { id }, { exchange, timeoutMs: Infinity });
    const source = this.caller.stream(watchNotifications, { backlog: 2, count: 2 }, { exchange });
    await ask('first');
    return (async function* () {
      for await (const { id } of source) yield { enriched: (await ask(id)).id };
    })();
  }

  @Subscription(() => String, { resolve: ({ id }: WatchedNotification) => id })
  broken(@CurrentExchange() exchange: Exchange): AsyncIterable<WatchedNotification> {
    return this.caller.stream(watchNotifications, { backlog: -1 }, { exchange });
  }
}

const identify: StageFactory = {
  policy: policyRegistry.authentication,
  compile: () => ({
    enter(exchange: Exchange) {
      const role = exchange.request.headers['x-test-role'];
      exchange.principal = { ...testPrincipal('2'), roles: [String(role)] };
    },
  }),
};

let service: NotificationsService;
let upstream: TestUpstream;
let bff: BffApp;
beforeAll(async () => {
  service = await startNotifications();
  upstream = await startUpstream(({ url = '' }, response) => {
    if (!url.endsWith('/held')) response.end(JSON.stringify({ id: url.split('/').at(-1) }));
  });
  const upstreams = {
    things: { targets: [upstream.url] },
    notifications: { protocol: 'grpc', targets: [service.url] },
  };
  bff = await startBff({
    factories: [identify, new DeadlineStageFactory()],
    door: { authentication: 'public', deadline: 1000 },
    upstreams: JSON.stringify(upstreams),
    graphql: { plan: { anyRole: ['admin'] } },
    modules: [{ module: class SourcesModule {}, imports: [CallsModule], providers: [SourcesResolver] }],
  });
});
afterAll(async () => {
  await bff.stop();
  await Promise.all([service.stop(), upstream.stop()]);
});

interface Answer {
  readonly data?: unknown;
  readonly errors?: readonly { readonly extensions?: Record<string, unknown> }[];
  readonly extensions?: Record<string, unknown>;
}

/** All answers to an operation over WebSocket; what it is refused with is thrown. */
async function answersTo(query: string, role = 'admin', plan = true): Promise<Answer[]> {
  class RoleSocket extends WebSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols, { headers: { 'x-test-role': role } });
    }
  }
  const url = `${bff.url.replace('http', 'ws')}/graphql`;
  const client = createClient({ url, webSocketImpl: RoleSocket, retryAttempts: 0 });
  const answers: Answer[] = [];
  try {
    for await (const answer of client.iterate({ query, extensions: { plan } }))
      answers.push(answer as Answer);
  } finally {
    await client.dispose();
  }
  return answers;
}

const stream = {
  call: 'notifications.watch',
  upstream: 'notifications',
  protocol: 'grpc',
  openedAt: expect.stringMatching(/^20\d\d-.*Z$/),
};
const planOf = ({ extensions }: Answer): unknown => extensions?.['plan'];

describe('the plan of an event', () => {
  it('tells the stream that it came from, with each event', async () => {
    const plans = (await answersTo('subscription { seen: watched }')).map(planOf);
    expect(plans).toMatchObject([
      { calls: [], streams: [{ ...stream, path: ['seen'], values: 1, outcome: 'open' }] },
      { calls: [], streams: [{ ...stream, path: ['seen'], values: 2, outcome: 'open' }] },
    ]);
    const [first, second] = plans as { streams: { openedAt: string }[] }[];
    expect(second?.streams[0]?.openedAt).toBe(first?.streams[0]?.openedAt);
  });

  it('tells the calls that its source made since the last one, before the execution began', async () => {
    const answers = await answersTo('subscription { enriched }');
    expect(answers.map(({ data }) => data)).toEqual([{ enriched: 'ntf-2-6' }, { enriched: 'ntf-2-7' }]);
    const thing = { call: 'entries.thing', startMs: expect.any(Number), outcome: 'ok' };
    expect(answers.map(planOf)).toMatchObject([
      { calls: [{ ...thing, path: ['enriched'] }, thing], streams: [{ ...stream, path: ['enriched'] }] },
      { calls: [thing], streams: [stream] },
    ]);
    for (const plan of answers.map(planOf) as { calls: { startMs: number }[] }[])
      for (const { startMs } of plan.calls) expect(startMs).toBeLessThanOrEqual(0);
  });

  it('comes with the problem that ended its source', async () => {
    const [answer] = await answersTo('subscription { broken }');
    expect(answer?.errors?.[0]?.extensions).toMatchObject({
      code: 'request-invalid',
      plan: { streams: [{ ...stream, path: ['broken'], values: 0, outcome: 'request-invalid' }] },
    });
  });

  it('is shown to nobody else', async () => {
    expect(await answersTo('subscription { watched }', 'user')).toEqual([
      { data: { watched: 'ntf-2-6' } },
      { data: { watched: 'ntf-2-7' } },
    ]);
    const [answer] = await answersTo('subscription { broken }', 'admin', false);
    expect(answer?.errors?.[0]?.extensions).not.toHaveProperty('plan');
  });
});

describe('the plan of an operation that its deadline ended', () => {
  const query = '{ stuck }';
  const held = { call: 'entries.thing', upstream: 'things', path: ['stuck'], source: 'upstream' };

  it('is a member of the problem, with what was under way', async () => {
    const headers = { 'x-test-role': 'admin', 'x-gatehouse-plan': '1' };
    const answer = await postTo(bff.url, { query }, headers);
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([504, 'no-store']);
    expect(answer.body).toMatchObject({ code: 'deadline-exceeded', plan: { calls: [held] } });
    for (const others of [{ 'x-test-role': 'admin' }, { ...headers, 'x-test-role': 'user' }]) {
      const { status, body } = await postTo(bff.url, { query }, others);
      expect([status, body]).toEqual([504, expect.not.objectContaining({ plan: expect.anything() })]);
    }
  });

  it('is with the error over a socket', async () => {
    const refused = await answersTo(query).catch((errors: unknown) => errors);
    expect(refused).toMatchObject([{ extensions: { code: 'deadline-exceeded', plan: { calls: [held] } } }]);
    const plain = await answersTo(query, 'user').catch((errors: unknown) => errors);
    expect(plain).toEqual([
      expect.objectContaining({ extensions: expect.not.objectContaining({ plan: expect.anything() }) }),
    ]);
  });

  it('is with the error over Server-Sent Events', async () => {
    const headers = { 'x-test-role': 'admin', 'x-gatehouse-plan': '1' };
    const client = createSseClient({ url: `${bff.url}/graphql`, headers, retryAttempts: 0 });
    const answers: unknown[] = [];
    for await (const answer of client.iterate({ query })) answers.push(answer);
    expect(answers).toMatchObject([
      { errors: [{ extensions: { code: 'deadline-exceeded', plan: { calls: [held] } } }] },
    ]);
    client.dispose();
  });
});
