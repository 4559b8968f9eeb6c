import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripTypeScriptTypes } from 'node:module';
import { ContractDocument } from '../../src/contracts/contract-document.ts';
import { writeClient } from '../../src/contracts/client/client-writer.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';
import { API_KEY, useShop } from '../support/shop.ts';

const TSC = 'node_modules/typescript/bin/tsc';
const STRICT = [
  '--noEmit',
  '--strict',
  '--noUncheckedIndexedAccess',
  '--exactOptionalPropertyTypes',
  '--noUnusedLocals',
  '--noUnusedParameters',
  '--noImplicitReturns',
  '--erasableSyntaxOnly',
  '--ignoreConfig',
  '--target',
  'es2022',
  '--module',
  'nodenext',
];
/** What a client sees of the world: a browser, and Node. */
const WORLDS = [
  ['a browser', ['--lib', 'es2022,dom,dom.iterable', '--types', 'null']],
  ['Node', ['--lib', 'es2022', '--types', 'node', '--typeRoots', join(process.cwd(), 'node_modules/@types')]],
] as const;

/** What a program that uses the client looks like; the comments expect what must not compile. */
const PROGRAM = `
import { createClient, isProblem, type Order, type ProblemError, type ProblemErrorOn } from './client.ts';
const client = createClient({ baseUrl: 'http://127.0.0.1:1', credentials: { jwt: async () => 'token' } });
export async function program(): Promise<Order> {
  const page = await client.orders.list({ query: { pageSize: 5, status: 'paid' } });
  const first: Order | undefined = page.data.orders[0];
  const name: string | undefined = (await client.homepage.show({ query: { fields: ['user'] } })).data.user?.name;
  void name; void first;
  const raw: Response = (await client.users.echo({ path: { rest: 'a/b' }, query: { x: [1, 2] } })).data;
  void raw;
  // @ts-expect-error: there is no such status.
  await client.orders.list({ query: { status: 'lost' } });
  // @ts-expect-error: an order has items.
  await client.orders.create({ body: { note: 'x' } });
  // @ts-expect-error: the path has an id.
  await client.orders.get({});
  // @ts-expect-error: there is no such section.
  await client.homepage.show({ query: { fields: ['cart'] } });
  return (await client.orders.create({ body: { items: [{ sku: 'BOOK-1', quantity: 1 }] } })).data;
}
export function explain(error: unknown): string {
  if (isProblem(error, 'rate-limited')) {
    const code: 'rate-limited' = error.code;
    return code + String(error.retryAfterSeconds);
  }
  if (isProblem(error)) return explainProblem(error);
  return 'unknown';
}
function explainProblem(error: ProblemError): string {
  switch (error.code) {
    case 'request-invalid':
      return (error.body.errors ?? []).map((one) => one.pointer ?? '').join();
    // @ts-expect-error: there is no such code.
    case 'no-such-code':
      return '';
    default:
      return error.body.title;
  }
}
export function onlyOfCreate(error: ProblemErrorOn<'orders.create'>): string {
  // @ts-expect-error: a POST to the collection does not look for an order.
  return error.code === 'resource-not-found' ? 'a' : 'b';
}
`;

// What the tests use; the real types are checked by tsc, above.
interface Answered {
  readonly data: unknown;
  readonly status: number;
  readonly requestId: string | undefined;
  readonly rateLimit: { readonly limit: number; readonly remaining: number } | undefined;
}
type Method = (request?: object, options?: object) => Promise<Answered>;
interface ClientModule {
  createClient(options: object): Record<string, Record<string, Method>>;
  isProblem(error: unknown, ...codes: string[]): boolean;
  readonly UnexpectedAnswerError: new (...args: never) => Error;
}

let folder: string;
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
  }),
  routes: [
    { id: 'echo', match: { path: '/echo/*' }, upstream: 'echo', rewrite: { stripPrefix: '/echo' } },
    {
      id: 'users.echo',
      match: { methods: ['GET'], path: '/users-echo/*' },
      upstream: 'users',
      policies: { rateLimit: { key: 'global', rate: 2, per: '1h' }, authentication: 'public' },
    },
    { id: 'orders.rest', upstream: 'orders', grpc: { service: 'shop.v1.Orders' } },
  ],
});

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-client-'));
  odd = await startUpstream();
  const text = writeClient(holder.shop.gateway.gateway.app.get(ContractDocument).current().document);
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'client.ts'), text);
  writeFileSync(join(folder, 'program.ts'), PROGRAM);
  writeFileSync(join(folder, 'client.mjs'), stripTypeScriptTypes(text));
  module = (await import(join(folder, 'client.mjs'))) as ClientModule;
});
afterAll(async () => {
  await odd.stop();
  rmSync(folder, { recursive: true, force: true });
});

type User = 'user' | 'admin' | 'guest';

function clientFor(user?: User, options: object = {}): ReturnType<ClientModule['createClient']> {
  const { gateway, services } = holder.shop;
  const credentials = user === undefined ? {} : { jwt: () => services.identity.token(user) };
  return module.createClient({ baseUrl: gateway.url, credentials, ...options });
}

function method(client: ReturnType<ClientModule['createClient']>, group: string, name: string): Method {
  const found = client[group]?.[name];
  if (found === undefined)
    throw new Error(`no ${group}.${name} in ${Object.keys(client[group] ?? client).join()}`);
  return found;
}

async function refusalOf(answer: Promise<unknown>): Promise<Record<string, unknown>> {
  const error = await answer.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) throw new Error('was not refused');
  return error as Record<string, unknown>;
}

describe('the client that is written', () => {
  it.each(WORLDS)(
    'compiles in %s with everything strict, and so does what uses it',
    (_world, options) => {
      const files = [join(folder, 'client.ts'), join(folder, 'program.ts')];
      const { status, stdout } = spawnSync(
        process.execPath,
        [TSC, ...STRICT, '--allowImportingTsExtensions', ...options, ...files],
        { encoding: 'utf8' },
      );
      expect([stdout, status]).toEqual(['', 0]);
    },
    90_000,
  );

  it('is one file with no import and no any', () => {
    const text = readFileSync(join(folder, 'client.ts'), 'utf8');
    expect(text).not.toMatch(/^\s*import\b|(?:[:<|&] ?|\bas )any\b|require\(/m);
  });
});

describe('a call of the client', () => {
  it('creates, reads and lists orders', async () => {
    const client = clientFor('user');
    const created = await method(
      client,
      'orders',
      'create',
    )({ body: { items: [{ sku: 'BOOK-1', quantity: 2 }] } });
    expect(created).toMatchObject({
      status: 201,
      data: { status: 'pending', items: [{ sku: 'BOOK-1', quantity: 2 }] },
      rateLimit: { limit: 10, remaining: expect.any(Number) },
      requestId: expect.any(String),
    });
    const { id } = created.data as { id: string };
    expect((await method(client, 'orders', 'get')({ path: { id } })).data).toEqual(created.data);
    const page = (await method(client, 'orders', 'list')({ query: { pageSize: 1 } })).data;
    expect(page).toMatchObject({ orders: [{ id }] });
  });

  it('speaks to translated routes', async () => {
    const answer = await method(clientFor('user'), 'orders', 'restListOrders')({ query: { pageSize: 1 } });
    expect(answer.data).toMatchObject({ orders: [{ id: expect.any(String) }] });
  });

  it('selects sections of a view', async () => {
    const show = method(clientFor('user'), 'homepage', 'show');
    expect(Object.keys((await show()).data as object)).toEqual(['user', 'feed', 'notifications']);
    const small = (await show({ headers: { 'x-device': 'tv' } })).data;
    expect(Object.keys(small as object)).toEqual(['user', 'feed']);
    const some = await show({ query: { fields: ['user', 'feed'] } });
    expect(Object.keys(some.data as object)).toEqual(['user', 'feed']);
  });

  it('hands on what a forwarded route answers, and sends what it is given', async () => {
    const post = method(clientFor(undefined, { credentials: { apiKey: () => API_KEY } }), 'echo', 'post');
    const answer = await post(
      { path: { rest: 'a b/c?d' }, query: { q: ['1', '2'], none: undefined }, body: 'text' },
      { headers: { 'x-mine': 'yes' } },
    );
    const response = answer.data as Response;
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      method: 'POST',
      url: '/a%20b/c%3Fd?q=1&q=2',
      body: 'text',
    });
  });

  it('ends when its signal says so', async () => {
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    const refusal = await refusalOf(
      method(clientFor('user'), 'orders', 'list')({}, { signal: controller.signal }),
    );
    expect(refusal['message']).toBe('enough');
  });

  it.each(['..', '.', ''])('refuses %j for a part of the path', async (id) => {
    const refusal = await refusalOf(method(clientFor('user'), 'orders', 'get')({ path: { id } }));
    expect(refusal).toBeInstanceOf(TypeError);
  });

  it('tells of every answer, and sends the header fields of the client', async () => {
    const heard: unknown[] = [];
    const onAnswer = (id: string, response: Response): void => void heard.push([id, response.status]);
    await method(clientFor(undefined, { onAnswer }), 'health', 'live')();
    await refusalOf(method(clientFor(undefined, { onAnswer }), 'orders', 'list')());
    expect(heard).toEqual([
      ['health.live', 200],
      ['orders.list', 401],
    ]);
  });
});

describe('a refusal', () => {
  it('is a problem with its code: 401', async () => {
    const error = await refusalOf(method(clientFor(), 'orders', 'list')());
    expect(error).toMatchObject({
      name: 'ProblemError',
      code: 'credentials-missing',
      status: 401,
      operationId: 'orders.list',
    });
    expect(module.isProblem(error, 'credentials-missing')).toBe(true);
    expect(module.isProblem(error, 'rate-limited')).toBe(false);
    expect(module.isProblem(new Error('other'))).toBe(false);
  });

  it('says when to come back: 429', async () => {
    const get = method(clientFor(), 'users', 'echo');
    const spent = await get({ path: { rest: '' } });
    expect(spent.rateLimit).toMatchObject({ limit: 2, remaining: 1 });
    await get({ path: { rest: 'x' } });
    const error = await refusalOf(get({ path: { rest: 'x' } }));
    expect(error).toMatchObject({ code: 'rate-limited', status: 429, rateLimit: { limit: 2, remaining: 0 } });
    expect(error['retryAfterSeconds']).toBeGreaterThan(0);
  });

  it('lists what is wrong: 400', async () => {
    const error = await refusalOf(method(clientFor('user'), 'orders', 'create')({ body: { items: [] } }));
    expect(error).toMatchObject({ code: 'request-invalid', body: { errors: [{ pointer: '/items' }] } });
  });

  it('names the role that is missing by its code: 403', async () => {
    const body = { items: [{ sku: 'BOOK-1', quantity: 1 }] };
    const error = await refusalOf(method(clientFor('guest'), 'orders', 'create')({ body }));
    expect(error).toMatchObject({ code: 'permission-denied', status: 403 });
  });

  it('is no problem of ours when something between says no', async () => {
    odd.listener = (_request, response) =>
      response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>proxy</h1>');
    const error = await refusalOf(method(clientFor('user', { baseUrl: odd.url }), 'orders', 'list')());
    expect(error).toBeInstanceOf(module.UnexpectedAnswerError);
    expect(error).toMatchObject({ status: 502, text: '<h1>proxy</h1>' });
    expect(module.isProblem(error)).toBe(false);
  });

  it('is not taken for an answer when its JSON is broken', async () => {
    odd.listener = (_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"orders":');
    const error = await refusalOf(method(clientFor('user', { baseUrl: odd.url }), 'orders', 'list')());
    expect(error).toMatchObject({ name: 'UnexpectedAnswerError', status: 200 });
  });
});
