import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { text } from 'node:stream/consumers';
import { ContractDocument } from '../../src/contracts/contract-document.ts';
import { makeClient, type MadeClient } from '../support/made-client.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';
import { API_KEY, useShop } from '../support/shop.ts';

// What the tests use; the real types are checked by the compiler, in client-types.e2e-spec.ts.
interface Answered {
  readonly data?: unknown;
  readonly problem?: Record<string, unknown>;
  readonly status: number;
  readonly requestId: string | undefined;
  readonly rateLimit: { readonly limit: number; readonly remaining: number } | undefined;
}
type Method = (path: string, init?: object) => Promise<Answered>;
interface Client {
  readonly GET: Method;
  readonly POST: Method;
  call(id: string, init?: object): Promise<Answered>;
  stream(id: string, init?: object): AsyncGenerator<unknown>;
}
interface ClientModule {
  createClient(options: object): Client;
  orThrow(asked: Promise<Answered>): Promise<Answered>;
  isProblem(error: unknown, ...codes: string[]): boolean;
  readonly UnexpectedAnswerError: new (...args: never) => Error;
}

const NEW_ORDER = { items: [{ sku: 'BOOK-1', quantity: 2 }] };
let made: MadeClient;
let module: ClientModule;
let odd: TestUpstream;

const holder = useShop({
  more: { floodLimit: 'off' },
  upstreams: (services) => ({
    orders: {
      protocol: 'grpc',
      descriptorSet: 'config/descriptors/shop.binpb',
      targets: [services.orders.url],
    },
    kinds: { protocol: 'grpc', descriptorSet: 'proto/test/kinds.binpb', targets: ['grpc://127.0.0.1:9'] },
  }),
  routes: [
    { id: 'echo', match: { path: '/echo/*' }, upstream: 'echo', rewrite: { stripPrefix: '/echo' } },
    {
      id: 'users.echo',
      match: { methods: ['GET'], path: '/users-echo/*' },
      upstream: 'users',
      policies: { rateLimit: { key: 'global', rate: 2, per: '1h' }, authentication: 'public' },
    },
    { id: 'kinds', upstream: 'kinds', grpc: { service: 'test.v1.Kinds' } },
    { id: 'orders.rest', upstream: 'orders', grpc: { service: 'shop.v1.Orders' } },
  ],
});

beforeAll(async () => {
  odd = await startUpstream();
  made = await makeClient(holder.shop.gateway.gateway.app.get(ContractDocument).current().document);
  module = (await made.load()) as ClientModule;
});
afterAll(async () => {
  await odd.stop();
  made.remove();
});

type User = 'user' | 'admin' | 'guest';

function clientFor(user?: User, options: object = {}): Client {
  const { gateway, services } = holder.shop;
  const credentials = user === undefined ? {} : { jwt: () => services.identity.token(user) };
  return module.createClient({ baseUrl: gateway.url, credentials, ...options });
}

async function refusalOf(answer: Promise<unknown>): Promise<Record<string, unknown>> {
  const error = await answer.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) throw new Error('was not refused');
  return error as Record<string, unknown>;
}

async function recordsOf(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const records: unknown[] = [];
  for await (const record of stream) records.push(record);
  return records;
}

describe('a call of the client', () => {
  it('creates, reads and lists orders', async () => {
    const client = clientFor('user');
    const created = await client.POST('/api/v1/orders', { body: NEW_ORDER });
    expect(created).toMatchObject({
      status: 201,
      data: { status: 'pending', ...NEW_ORDER },
      rateLimit: { limit: 10, remaining: expect.any(Number) },
      requestId: expect.any(String),
    });
    const { id } = created.data as { id: string };
    expect((await client.GET('/api/v1/orders/{id}', { params: { path: { id } } })).data).toEqual(
      created.data,
    );
    expect((await client.call('orders.get', { params: { path: { id } } })).data).toEqual(created.data);
    const page = await client.GET('/api/v1/orders', {
      params: { query: { pageSize: 1, status: undefined } },
    });
    expect(page.data).toMatchObject({ orders: [{ id }] });
  });

  it('speaks to translated routes', async () => {
    const answer = await clientFor('user').call('orders.rest.ListOrders', {
      params: { query: { pageSize: 1 } },
    });
    expect(answer.data).toMatchObject({ orders: [{ id: expect.any(String) }] });
  });

  it('selects sections of a view', async () => {
    const show = async (params?: object) =>
      Object.keys((await clientFor('user').GET('/api/homepage', { params })).data as object);
    expect(await show()).toEqual(['user', 'feed', 'notifications']);
    expect(await show({ header: { 'x-device': 'tv' } })).toEqual(['user', 'feed']);
    expect(await show({ query: { fields: ['user', 'feed'] } })).toEqual(['user', 'feed']);
  });

  it('hands on what a forwarded route answers, and sends what it is given', async () => {
    const client = clientFor(undefined, { credentials: { apiKey: () => API_KEY } });
    const answer = await client.POST('/echo/{rest}', {
      params: { path: { rest: 'a b/c?d' }, query: { q: ['1', '2'], none: undefined } },
      body: 'text',
      headers: { 'x-mine': 'yes' },
    });
    const response = answer.data as Response;
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      method: 'POST',
      url: '/a%20b/c%3Fd?q=1&q=2',
      headers: expect.objectContaining({ 'x-mine': 'yes', 'content-type': 'text/plain;charset=UTF-8' }),
      body: 'text',
    });
  });

  it('hands on what an upstream refuses with, unread', async () => {
    odd.listener = (_request, response) =>
      response.writeHead(409, { 'content-type': 'text/plain' }).end('no');
    const { data } = await clientFor(undefined, { baseUrl: odd.url }).GET('/users-echo/{rest}');
    expect([(data as Response).status, await (data as Response).text()]).toEqual([409, 'no']);
  });

  it('sends messages a line each, as they are made', async () => {
    odd.listener = (request, response) =>
      void text(request).then((body) =>
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ body, type: request.headers['content-type'] })),
      );
    async function* numbers(): AsyncGenerator<object> {
      yield { value: 1 };
      yield { value: 2 };
    }
    for (const body of [[{ value: 1 }, { value: 2 }], numbers()]) {
      const answer = await clientFor(undefined, { baseUrl: odd.url }).POST('/test/sum', { body });
      expect(answer.data).toEqual({ body: '{"value":1}\n{"value":2}\n', type: 'application/x-ndjson' });
    }
  });

  it('ends when its signal says so', async () => {
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    const refusal = await refusalOf(clientFor('user').GET('/api/v1/orders', { signal: controller.signal }));
    expect(refusal['message']).toBe('enough');
  });

  it.each(['..', '.', ''])('refuses %j for a part of the path', async (id) => {
    const refusal = await refusalOf(clientFor('user').call('orders.get', { params: { path: { id } } }));
    expect(refusal).toBeInstanceOf(TypeError);
  });

  it('tells of every answer, and sends the header fields of the client', async () => {
    const heard: unknown[] = [];
    const onAnswer = (id: string, response: Response): void => void heard.push([id, response.status]);
    const onRequest = ({ request }: { request: Request }): void =>
      void heard.push(request.headers.get('x-of'));
    const client = clientFor(undefined, {
      onAnswer,
      headers: { 'x-of': 'all' },
      middleware: [{ onRequest }],
    });
    await client.GET('/health/live');
    await client.GET('/api/v1/orders');
    expect(heard).toEqual(['all', ['health.live', 200], 'all', ['orders.list', 401]]);
  });
});

describe('a stream of the client', () => {
  it('yields the sections of a view as they arrive, then that it is done', async () => {
    const records = await recordsOf(clientFor('user').stream('homepage.show'));
    expect(
      records
        .slice(0, -1)
        .map((one) => (one as { section: string }).section)
        .sort(),
    ).toEqual(['feed', 'notifications', 'user']);
    expect(records.at(-1)).toMatchObject({ done: true, timing: { user: expect.any(Number) } });
  });

  it('throws the problem that it is refused with', async () => {
    const error = await refusalOf(recordsOf(clientFor().stream('homepage.show')));
    expect(error).toMatchObject({ code: 'credentials-missing', status: 401 });
  });

  it.each([
    ['an event', 'kinds.Count.get', 'event: problem\ndata: PROBLEM\n\n'],
    ['a record', 'homepage.show', 'event: problem\ndata: {"problem":PROBLEM}\n\n'],
  ])('throws the problem that it ends with, as %s', async (_how, id, end) => {
    const problem = JSON.stringify({
      type: 'urn:gatehouse:problem:upstream-timeout',
      title: 'late',
      code: 'upstream-timeout',
    });
    odd.listener = (_request, response) =>
      response
        .writeHead(200, { 'content-type': 'text/event-stream' })
        .end(`: open\n\ndata: {"value":\ndata: 1}\n\n${end.replace('PROBLEM', problem)}`);
    const seen: unknown[] = [];
    const listen = async (): Promise<void> => {
      const stream = clientFor(undefined, { baseUrl: odd.url }).stream(id, { params: { path: { to: 1 } } });
      for await (const record of stream) seen.push(record);
    };
    expect(await refusalOf(listen())).toMatchObject({ name: 'ProblemError', code: 'upstream-timeout' });
    expect(seen).toEqual([{ value: 1 }]);
  });

  it('ends its request when the loop is left', async () => {
    const left = new Promise<void>((resolve) => {
      odd.listener = (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"value":1}\n\n');
        response.once('close', resolve);
      };
    });
    for await (const record of clientFor(undefined, { baseUrl: odd.url }).stream('homepage.show')) {
      expect(record).toEqual({ value: 1 });
      break;
    }
    await left;
  });
});

describe('a refusal', () => {
  it('is a problem with its code: 401', async () => {
    const { problem, data } = await clientFor().GET('/api/v1/orders');
    expect(data).toBeUndefined();
    expect(problem).toMatchObject({
      name: 'ProblemError',
      code: 'credentials-missing',
      status: 401,
      operationId: 'orders.list',
    });
    expect(module.isProblem(problem, 'credentials-missing')).toBe(true);
    expect(module.isProblem(problem, 'rate-limited')).toBe(false);
    expect(module.isProblem(new Error('other'))).toBe(false);
    expect(await refusalOf(module.orThrow(clientFor().GET('/api/v1/orders')))).toMatchObject({
      code: 'credentials-missing',
    });
  });

  it('says when to come back: 429', async () => {
    const get = (rest: string) => clientFor().GET('/users-echo/{rest}', { params: { path: { rest } } });
    const spent = await get('');
    expect(spent.rateLimit).toMatchObject({ limit: 2, remaining: 1 });
    await get('x');
    const { problem } = await get('x');
    expect(problem).toMatchObject({
      code: 'rate-limited',
      status: 429,
      rateLimit: { limit: 2, remaining: 0 },
    });
    expect(problem?.['retryAfterSeconds']).toBeGreaterThan(0);
  });

  it('lists what is wrong: 400', async () => {
    const { problem } = await clientFor('user').POST('/api/v1/orders', { body: { items: [] } });
    expect(problem).toMatchObject({ code: 'request-invalid', body: { errors: [{ pointer: '/items' }] } });
  });

  it('names the role that is missing by its code: 403', async () => {
    const { problem } = await clientFor('guest').POST('/api/v1/orders', { body: NEW_ORDER });
    expect(problem).toMatchObject({ code: 'permission-denied', status: 403 });
  });

  it('is no problem of ours when something between says no', async () => {
    odd.listener = (_request, response) =>
      response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>proxy</h1>');
    const error = await refusalOf(clientFor('user', { baseUrl: odd.url }).GET('/api/v1/orders'));
    expect(error).toBeInstanceOf(module.UnexpectedAnswerError);
    expect(error).toMatchObject({ status: 502, text: '<h1>proxy</h1>' });
    expect(module.isProblem(error)).toBe(false);
  });

  it('is not taken for an answer when its JSON is broken', async () => {
    odd.listener = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"orders":');
    const error = await refusalOf(clientFor('user', { baseUrl: odd.url }).GET('/api/v1/orders'));
    expect(error).toMatchObject({ name: 'UnexpectedAnswerError', status: 200 });
  });
});
