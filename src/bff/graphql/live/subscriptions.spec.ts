import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Inject } from '@nestjs/common';
import { Args, Mutation, Query, Resolver, Subscription } from '@nestjs/graphql';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient, type Client } from 'graphql-ws';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { startRedis, type RedisServer } from '../../../../test/support/redis.ts';
import { PUB_SUB } from '../../../config/tokens.ts';
import { CurrentExchange } from '../../../exchange/exchange-of.ts';
import { Exchange } from '../../../exchange/exchange.ts';
import { Roles } from '../../../policies/authorization/authorization.policy.ts';
import { AuthorizationStageFactory } from '../../../policies/authorization/authorization.stage.ts';
import { policyRegistry } from '../../../policies/order.ts';
import type { StageFactory } from '../../../policies/stage-factory.ts';
import type { ProblemCode } from '../../../problems/catalogue.ts';
import { Problem } from '../../../problems/problem.ts';
import { PubSub } from '../../../store/pub-sub.ts';
import { StoreModule } from '../../../store/store.module.ts';
import { startBff, testPrincipal, type BffApp } from '../../bff-app.fixture.ts';
import { eventsOf } from './events.ts';

const MOST_FLOODED = 1000;
let flooded = 0;
let running = 0;
const slow: (() => void)[] = [];

interface Said {
  readonly said: string;
}

@Resolver()
class ChatResolver {
  constructor(@Inject(PUB_SUB) private readonly channels: PubSub) {}

  @Query(() => String, { nullable: true })
  me(@CurrentExchange() { principal }: Exchange): string | undefined {
    return principal?.id;
  }

  /** Answers when it is let. */
  @Query(() => Boolean)
  async slow(): Promise<boolean> {
    running += 1;
    await new Promise<void>((resolve) => slow.push(resolve));
    return true;
  }

  @Mutation(() => Boolean)
  async say(@Args('text', { type: () => String }) text: string): Promise<boolean> {
    await this.channels.publish('chat', text);
    return true;
  }

  @Subscription(() => String)
  said(): AsyncIterable<Said> {
    return eventsOf(this.channels, 'chat', (text) => ({ said: text }));
  }

  @Subscription(() => String)
  refused(): AsyncIterable<Said> {
    throw new Error('connect ECONNREFUSED 10.1.2.3');
  }

  /** Has more to say than sockets hold. */
  @Subscription(() => String)
  async *flood(): AsyncGenerator<object> {
    for (flooded = 0; flooded < MOST_FLOODED; flooded += 1) {
      await Promise.resolve();
      yield { flood: 'x'.repeat(100_000) };
    }
  }

  @Roles('admin')
  @Subscription(() => String)
  secrets(): AsyncIterable<object> {
    return eventsOf(this.channels, 'chat', (text) => ({ secrets: text }));
  }
}

/** Knows `Bearer <user> [seconds until it expires]`, and refuses `No <problem>` by that. */
const identify: StageFactory = {
  policy: policyRegistry.authentication,
  compile: () => ({
    enter(exchange: Exchange) {
      const [scheme, user, ttl] = String(exchange.request.headers.authorization ?? '').split(' ');
      if (scheme === 'No') throw new Problem(user as ProblemCode);
      if (scheme !== 'Bearer' || user === undefined) throw new Problem('credentials-missing');
      const claims = ttl === undefined ? {} : { exp: Date.now() / 1000 + Number(ttl) };
      exchange.principal = { ...testPrincipal(user), claims };
    },
  }),
};
const authorize: StageFactory = {
  policy: policyRegistry.authorization,
  compile: (input) =>
    new AuthorizationStageFactory().compile({
      ...input,
      policies: { ...input.policies, authentication: { schemes: ['jwt'] } },
    }),
};

let server: RedisServer;
let bff: BffApp;
let other: BffApp;
const start = (subscriptions: { idle?: number; sockets?: number } = {}): Promise<BffApp> =>
  startBff({
    factories: [identify, authorize],
    graphql: { subscriptions: { perSocket: 3, messageSize: 2048, ...subscriptions } },
    modules: [
      StoreModule.forRoot({ redisUrl: server.url, log: { info: () => {}, warn: () => {} } }),
      { module: class ChatModule {}, providers: [ChatResolver] },
    ],
  });
beforeAll(async () => {
  server = await startRedis();
  bff = await start();
  other = await start();
});
afterAll(async () => {
  await Promise.all([bff.stop(), other.stop()]);
  await server.stop();
});

const channelsOf = ({ app }: BffApp): PubSub => app.get<PubSub>(PUB_SUB, { strict: false });
/** How many channels are listened to, besides the one that replicas tell each other of their breakers on. */
const listeningOf = (app: BffApp): number => channelsOf(app).channels - 1;
const socketUrl = ({ url }: BffApp): string => `${url.replace('http', 'ws')}/graphql`;

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Says something until somebody has heard it: subscribing over Redis takes a moment. */
async function sayUntil(app: BffApp, text: string, heard: () => boolean): Promise<void> {
  while (!heard()) {
    await channelsOf(app).publish('chat', text);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function clientOf(app: BffApp, authorization?: string): Client {
  return createClient({
    url: socketUrl(app),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    lazy: true,
    ...(authorization === undefined ? {} : { connectionParams: { authorization } }),
  });
}

interface RawSocket {
  readonly socket: WebSocket;
  readonly messages: Record<string, unknown>[];
  readonly closed: Promise<{ code: number; reason: string }>;
  send(message: unknown): void;
}

async function rawSocket(app: BffApp, headers: Record<string, string> = {}): Promise<RawSocket> {
  const socket = new WebSocket(socketUrl(app), 'graphql-transport-ws', { headers });
  const messages: Record<string, unknown>[] = [];
  socket.on('message', (data) => messages.push(JSON.parse(String(data)) as Record<string, unknown>));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  await once(socket, 'open');
  return { socket, messages, closed, send: (message) => socket.send(JSON.stringify(message)) };
}

async function acknowledged(app: BffApp, authorization = 'Bearer ada'): Promise<RawSocket> {
  const raw = await rawSocket(app, { authorization });
  raw.send({ type: 'connection_init' });
  await until(() => raw.messages.length > 0);
  expect(raw.messages.shift()).toEqual({ type: 'connection_ack' });
  return raw;
}

describe('subscriptions over WebSocket', () => {
  it('hear what is said in another replica, and leave nothing behind', async () => {
    const client = clientOf(bff, 'Bearer ada');
    const heard: unknown[] = [];
    const stop = client.subscribe(
      { query: 'subscription { said }' },
      { next: (value) => heard.push(value), error: () => {}, complete: () => {} },
    );
    await sayUntil(other, 'hello', () => heard.length > 0);
    expect(heard[0]).toEqual({ data: { said: 'hello' } });
    expect(listeningOf(bff)).toBe(1);
    stop();
    await until(() => listeningOf(bff) === 0);
    await client.dispose();
  });

  it('end when the socket breaks without a goodbye', async () => {
    const { socket, send } = await acknowledged(bff);
    send({ id: '1', type: 'subscribe', payload: { query: 'subscription { said }' } });
    await until(() => listeningOf(bff) === 1);
    socket.terminate();
    await until(() => listeningOf(bff) === 0);
  });

  it('run queries and mutations too, as the principal of the socket', async () => {
    const client = clientOf(bff, 'Bearer bob');
    const results = [];
    for await (const result of client.iterate({ query: '{ me }' })) results.push(result);
    for await (const result of client.iterate({ query: 'mutation { say(text: "x") }' })) results.push(result);
    expect(results).toEqual([{ data: { me: 'bob' } }, { data: { say: true } }]);
    await client.dispose();
  });

  it('refuse bad credentials: in HTTP with the handshake, with 4401 in the first message', async () => {
    const socket = new WebSocket(socketUrl(bff), 'graphql-transport-ws', {
      headers: { authorization: 'Basic x' },
    });
    socket.on('error', () => {});
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(response.statusCode).toBe(401);
    const raw = await rawSocket(bff);
    raw.send({ type: 'connection_init', payload: { authorization: 'Basic x' } });
    expect(await raw.closed).toEqual({ code: 4401, reason: 'credentials-missing' });
  });

  it.each(['identity-unavailable', 'too-many-attempts'])(
    'tell a client that meets %s in the first message to come again',
    async (problem) => {
      const raw = await rawSocket(bff);
      raw.send({ type: 'connection_init', payload: { authorization: `No ${problem}` } });
      expect(await raw.closed).toEqual({ code: 1013, reason: problem });
    },
  );

  it('do nothing before the client is known', async () => {
    const raw = await rawSocket(bff);
    raw.send({ id: '1', type: 'subscribe', payload: { query: '{ me }' } });
    expect((await raw.closed).code).toBe(4401);
  });

  it('end with the token', async () => {
    const raw = await acknowledged(bff, 'Bearer ada 1');
    raw.send({ id: '1', type: 'subscribe', payload: { query: 'subscription { said }' } });
    expect(await raw.closed).toEqual({ code: 4401, reason: 'The token has expired' });
    await until(() => listeningOf(bff) === 0);
  });

  it('refuse more operations at once than allowed, and take the next one when one has ended', async () => {
    const raw = await acknowledged(bff);
    const subscribe = (id: string): void =>
      raw.send({ id, type: 'subscribe', payload: { query: 'subscription { said }' } });
    for (const id of ['1', '2', '3', '4']) subscribe(id);
    await until(() => raw.messages.length > 0);
    expect(raw.messages.shift()).toMatchObject({
      id: '4',
      type: 'error',
      payload: [{ extensions: { code: 'rate-limited' } }],
    });
    raw.send({ id: '1', type: 'complete' });
    subscribe('5');
    raw.send({ type: 'ping' });
    // What came before it has been read by then.
    await until(() => raw.messages.some(({ type }) => type === 'pong'));
    await sayUntil(bff, 'again', () => raw.messages.some(({ id }) => id === '5'));
    expect(raw.messages.some(({ id }) => id === '1')).toBe(false);
    raw.socket.close();
    await raw.closed;
  });

  it('count an operation for as long as it runs, whatever the client says', async () => {
    running = 0;
    const raw = await acknowledged(bff);
    for (let id = 1; id <= 10; id += 1) {
      raw.send({ id: `${id}`, type: 'subscribe', payload: { query: '{ slow }' } });
      raw.send({ id: `${id}`, type: 'complete' });
    }
    raw.send({ id: 'last', type: 'subscribe', payload: { query: '{ slow }' } });
    await until(() => raw.messages.some(({ id }) => id === 'last'));
    // Those that were taken are still running, and told nothing.
    const refused = { type: 'error', payload: [{ extensions: { code: 'rate-limited' } }] };
    expect(raw.messages).toMatchObject(
      ['4', '5', '6', '7', '8', '9', '10', 'last'].map((id) => ({ id, ...refused })),
    );
    expect(running).toBe(3);
    for (const answer of slow.splice(0)) answer();
    raw.socket.close();
    await raw.closed;
  });

  it('close a socket for a message that is too large, no GraphQL, or a second init', async () => {
    const large = await acknowledged(bff);
    large.send({ id: '1', type: 'subscribe', payload: { query: `{ me } # ${'x'.repeat(3000)}` } });
    expect((await large.closed).code).toBe(1009);
    const bad = await acknowledged(bff);
    bad.socket.send('{');
    expect((await bad.closed).code).toBe(4400);
    const twice = await acknowledged(bff);
    twice.send({ type: 'connection_init' });
    expect((await twice.closed).code).toBe(4429);
  });

  it('tell what is wrong with a document, and mask what a resolver threw', async () => {
    const raw = await acknowledged(bff);
    raw.send({ id: '1', type: 'subscribe', payload: { query: 'subscription { nope }' } });
    raw.send({ id: '2', type: 'subscribe', payload: { query: 'subscription { refused }' } });
    raw.send({ id: '3', type: 'subscribe', payload: { query: 'subscription { secrets }' } });
    await until(() => raw.messages.length === 3);
    const codes = new Map(
      raw.messages.map(({ id, payload }) => [
        id,
        (payload as { extensions: { code: string } }[])[0]?.extensions.code,
      ]),
    );
    expect(Object.fromEntries(codes)).toEqual({
      1: 'request-invalid',
      2: 'internal',
      3: 'permission-denied',
    });
    expect(JSON.stringify(raw.messages)).not.toContain('10.1.2.3');
    raw.socket.close();
    await raw.closed;
  });

  it('end a socket that does nothing, and refuse those that are too many', async () => {
    const small = await start({ idle: 300, sockets: 1 });
    const first = await acknowledged(small);
    const second = new WebSocket(socketUrl(small), 'graphql-transport-ws');
    second.on('error', () => {});
    const [, response] = (await once(second, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(response.statusCode).toBe(429);
    expect(await first.closed).toEqual({ code: 1001, reason: 'Idle' });
    const third = await acknowledged(small);
    await Promise.all([third.closed, small.stop()]);
  });

  it('refuse a handshake that is none with a problem', async () => {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { connection: 'upgrade', upgrade: 'websocket' };
      request(`${bff.url}/graphql`, { headers }).once('response', resolve).once('error', reject).end();
    });
    let text = '';
    for await (const chunk of response) text += String(chunk);
    expect([response.statusCode, JSON.parse(text)]).toMatchObject([400, { code: 'request-malformed' }]);
  });

  it('take a token among the subprotocols, as browsers can send it', async () => {
    const protocols = ['graphql-transport-ws', 'bearer.eve'];
    const socket = new WebSocket(socketUrl(bff), protocols);
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init' }));
    const heard: Record<string, unknown>[] = [];
    socket.on('message', (data) => heard.push(JSON.parse(String(data)) as Record<string, unknown>));
    await until(() => heard.length === 1);
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: '{ me }' } }));
    await until(() => heard.length > 1);
    expect(heard[1]).toMatchObject({ payload: { data: { me: 'eve' } } });
    socket.close();
  });

  it('leave upgrades for other paths alone', async () => {
    const socket = new WebSocket(`${bff.url.replace('http', 'ws')}/elsewhere`, 'graphql-transport-ws');
    socket.on('error', () => {});
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(response.statusCode).toBe(404);
  });
});

describe('subscriptions over Server-Sent Events', () => {
  it.each([false, true])('hear what is said, with a single connection: %p', async (singleConnection) => {
    const client = createSseClient({
      url: `${bff.url}/graphql`,
      singleConnection,
      headers: { authorization: 'Bearer ada' },
      retryAttempts: 0,
    });
    const heard: unknown[] = [];
    const sink = { next: (value: unknown) => heard.push(value), error: () => {}, complete: () => {} };
    const stop = client.subscribe({ query: 'subscription { said }' }, sink);
    await sayUntil(other, 'sse', () => heard.length > 0);
    expect(heard[0]).toEqual({ data: { said: 'sse' } });
    stop();
    await until(() => listeningOf(bff) === 0);
    client.dispose();
  });

  it('keep the stream of one client from another', async () => {
    const put = await fetch(`${bff.url}/graphql`, {
      method: 'PUT',
      headers: { authorization: 'Bearer ada' },
    });
    const token = await put.text();
    const listen = (user: string, given: string): Promise<Response> =>
      fetch(`${bff.url}/graphql?token=${given}`, {
        headers: { accept: 'text/event-stream', authorization: `Bearer ${user}` },
      });
    expect(put.status).toBe(201);
    expect((await listen('eve', token)).status).toBe(403);
    expect((await listen('ada', `${token}x`)).status).toBe(404);
    const mine = await listen('ada', token);
    expect(mine.status).toBe(200);
    await mine.body?.cancel();
  });

  it('refuse more operations at once than allowed on a single connection', async () => {
    const authorization = 'Bearer ada';
    const put = await fetch(`${bff.url}/graphql`, { method: 'PUT', headers: { authorization } });
    const own = { authorization, 'x-graphql-event-stream-token': await put.text() };
    const stream = await fetch(`${bff.url}/graphql`, { headers: { ...own, accept: 'text/event-stream' } });
    for (const operationId of ['1', '2', '3', '4']) {
      const body = JSON.stringify({ query: 'subscription { said }', extensions: { operationId } });
      const headers = { ...own, 'content-type': 'application/json' };
      expect((await fetch(`${bff.url}/graphql`, { method: 'POST', headers, body })).status).toBe(202);
    }
    let text = '';
    for await (const part of stream.body ?? []) {
      text += Buffer.from(part as Uint8Array).toString();
      if (text.includes('event: complete')) break;
    }
    expect(text).toContain('"id":"4"');
    expect(text).toContain('rate-limited');
    await until(() => listeningOf(bff) === 0);
  });

  it('never mutate over GET, nor for a media type that a foreign page could send', async () => {
    const headers = { accept: 'text/event-stream', authorization: 'Bearer ada' };
    const said: string[] = [];
    const stop = channelsOf(other).listen('chat', (text) => said.push(text));
    await sayUntil(bff, 'listening', () => said.length > 0);
    const query = encodeURIComponent('mutation { say(text: "forged") }');
    const get = await fetch(`${bff.url}/graphql?query=${query}`, { headers });
    expect(await get.text()).toContain('A mutation needs a POST.');
    const post = await fetch(`${bff.url}/graphql`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'text/plain; application/json' },
      body: JSON.stringify({ query: 'mutation { say(text: "forged") }' }),
    });
    expect(post.status).toBe(415);
    await sayUntil(bff, 'end', () => said.includes('end'));
    expect(said).not.toContain('forged');
    stop();
  });

  it('need credentials like everything else', async () => {
    for (const method of ['PUT', 'DELETE', 'GET']) {
      const response = await fetch(`${bff.url}/graphql`, {
        method,
        headers: { accept: 'text/event-stream' },
      });
      expect(response.status).toBe(401);
      await response.body?.cancel();
    }
  });
});

describe('a client that does not read', () => {
  async function standstill(): Promise<number> {
    let before = -1;
    while (before !== flooded || flooded === 0) {
      before = flooded;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return flooded;
  }

  it('slows down its own source over Server-Sent Events', async () => {
    flooded = 0;
    const headers = {
      accept: 'text/event-stream',
      'content-type': 'application/json',
      authorization: 'Bearer ada',
    };
    const asking = request(`${bff.url}/graphql`, { method: 'POST', headers });
    asking.end(JSON.stringify({ query: 'subscription { flood }' }));
    const [response] = (await once(asking, 'response')) as [IncomingMessage];
    expect(await standstill()).toBeLessThan(MOST_FLOODED);
    let bytes = 0;
    for await (const chunk of response) bytes += (chunk as Buffer).length;
    expect(bytes).toBeGreaterThan(MOST_FLOODED * 100_000);
  });

  it('slows down its own source over WebSocket', async () => {
    flooded = 0;
    const raw = await acknowledged(bff);
    raw.send({ id: '1', type: 'subscribe', payload: { query: 'subscription { flood }' } });
    raw.socket.pause();
    expect(await standstill()).toBeLessThan(MOST_FLOODED);
    raw.socket.resume();
    await until(() => raw.messages.at(-1)?.['type'] === 'complete');
    expect(raw.messages).toHaveLength(MOST_FLOODED + 1);
    raw.socket.close();
  });
});

describe('a gateway that leaves', () => {
  it('sends sockets away with 1012 and ends streams', async () => {
    const leaving = await start();
    const raw = await acknowledged(leaving);
    raw.send({ id: '1', type: 'subscribe', payload: { query: 'subscription { said }' } });
    const stream = await fetch(`${leaving.url}/graphql`, {
      method: 'POST',
      headers: {
        accept: 'text/event-stream',
        'content-type': 'application/json',
        authorization: 'Bearer ada',
      },
      body: JSON.stringify({ query: 'subscription { said }' }),
    });
    const [{ code }, text] = await Promise.all([raw.closed, stream.text(), leaving.stop()]);
    expect(code).toBe(1012);
    expect(text).toMatch(/^:/);
  });
});
