import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DevGateway } from '../../src/cli/dev/dev-gateway.ts';
import { devCommand } from '../../src/cli/dev/dev-command.ts';
import { LoadedFiles } from '../../src/cli/dev/loaded-files.ts';
import type { FromChild, Serving } from '../../src/cli/dev/messages.ts';
import { startOrders } from '../../examples/services/orders.ts';
import { signWithSecret } from '../support/key-server.ts';
import { startGateway } from '../support/gateway.ts';
import { startUpstream } from '../support/upstream.ts';

/** Nobody listens there. */
const NOWHERE = '127.0.0.1:9';
const VARIABLES = {
  PORT: '0',
  HOST: '127.0.0.1',
  ADMIN_PORT: '0',
  DRAIN_DELAY: '0s',
  LOG_LEVEL: 'fatal',
  GATEHOUSE_MODULES: 'package.json',
};
const before = { ...process.env };
let folder: string;
let file: string;
let running: DevGateway | undefined;
let said: FromChild[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-dev-'));
  file = join(folder, 'gateway.yaml');
  Object.assign(process.env, VARIABLES);
});
afterEach(async () => {
  await running?.end();
  running = undefined;
});
afterAll(() => {
  for (const name of Object.keys(VARIABLES)) delete process.env[name];
  Object.assign(process.env, before);
  rmSync(folder, { recursive: true });
});

const write = (name: string, value: object): void => writeFileSync(join(folder, name), JSON.stringify(value));
const route = (upstream: string, more: object = {}): object => ({
  id: upstream,
  match: { path: `/${upstream}/*` },
  upstream,
  ...more,
});
const config = (upstreams: object, routes: readonly object[]): void =>
  write('gateway.yaml', {
    version: 1,
    defaults: { policies: { authentication: 'public' } },
    upstreams,
    routes,
  });

async function start(...args: readonly string[]): Promise<FromChild> {
  const command = devCommand(['--config', file, ...args]);
  if (command === undefined) throw new Error('this is no help');
  said = [];
  const say = (message: FromChild): void => void said.push(message);
  running = new DevGateway({ command, color: false, files: new LoadedFiles(), say });
  await running.start();
  return last();
}

async function reload(): Promise<FromChild> {
  await running?.reload();
  return last();
}

function last(): FromChild {
  const message = said.findLast(({ is }) => is !== 'said');
  if (message === undefined) throw new Error('nothing was said');
  return message;
}

function serving(message: FromChild): Serving {
  if ('serving' in message) return message.serving;
  throw new Error(JSON.stringify(message));
}

const get = (message: FromChild, path: string): Promise<Response> =>
  fetch(`${String(serving(message).urls[0])}${path}`);
const lines = (): readonly string[] =>
  said.flatMap((message) => (message.is === 'said' ? [message.text] : []));

describe('a gateway under development', () => {
  it('fakes an upstream by its OpenAPI document, marks the answers and tells of them', async () => {
    write('users.json', { openapi: '3.1.0', paths: { '/users/{id}': { get: { responses: { 200: { content: { 'application/json': { schema: { properties: { id: { type: 'integer' } } } } } } } } } } });
    config({ users: { targets: [`http://${NOWHERE}`], health: { active: { path: '/healthz' } } } }, [route('users')]);
    const ready = await start('--fake', `users=${join(folder, 'users.json')}`);
    const answer = await get(ready, '/users/7');
    expect([answer.status, await answer.json()]).toEqual([200, { id: 7 }]);
    expect(answer.headers.get('x-gatehouse-fake')).toBe(`users; OpenAPI ${join(folder, 'users.json')}`);
    expect(serving(ready).fakes).toEqual([`users is faked by OpenAPI ${join(folder, 'users.json')}`]);
    expect(lines()).toEqual(['faked users: GET /users/7 200']);
  });

  it('fakes a gRPC service by its schema', async () => {
    config({ orders: { protocol: 'grpc', descriptorSet: 'config/descriptors/shop.binpb', targets: [`grpc://${NOWHERE}`] } }, [{ id: 'orders', upstream: 'orders', grpc: { service: 'shop.v1.Orders' } }]);
    const ready = await start('--fake', 'orders');
    const answer = await get(ready, '/api/v3/orders/ord-7');
    expect([answer.status, await answer.json()]).toMatchObject([200, { id: 'ord-7' }]);
    expect(lines()).toEqual(['faked orders: POST /shop.v1.Orders/GetOrder OK']);
  });

  it('fakes an upstream by answers that were recorded, whatever path they were asked for by', async () => {
    const sample = join(folder, 'sample.ndjson');
    await recordAnswers(sample);
    config({ it: { targets: [`http://${NOWHERE}`] } }, [route('it', { rewrite: { stripPrefix: '/it' } })]);
    const ready = await start('--fake', `it=${sample}`);
    const answer = await get(ready, '/it/users/7?full=1');
    expect([answer.status, await answer.json()]).toEqual([203, { name: 'Ann', url: '/it/users/7?full=1', password: '(hidden)' }]);
    expect((await get(ready, '/it/users/7')).status).toBe(203);
    expect((await get(ready, '/it/users/8')).status).toBe(404);
  });

  it('fakes a gRPC service by answers that were recorded, whatever else it is asked with', async () => {
    const sample = join(folder, 'orders.ndjson');
    const { whole, one } = await recordOrders(sample);
    config({ orders: { ...ORDERS, targets: [`grpc://${NOWHERE}`] } }, [{ id: 'orders', upstream: 'orders', grpc: { service: 'shop.v1.Orders' } }]);
    const ready = await start('--fake', `orders=${sample}`);
    expect(serving(ready).fakes).toEqual([`orders is faked by sample ${sample}`]);
    const answer = await get(ready, `/api/v3/orders/${one.id}`);
    expect([answer.status, await answer.json()]).toEqual([200, one]);
    // What is called a token is in no sample.
    const page = { ...whole, nextPageToken: '(hidden)' };
    for (const size of [2, 7]) expect(await (await get(ready, `/api/v3/orders?pageSize=${size}`)).json()).toEqual(page);
    const other = await get(ready, '/api/v3/orders/ord-7');
    expect([other.status, await other.json()]).toMatchObject([404, { code: 'resource-not-found' }]);
    expect(lines().at(-1)).toBe('faked orders: POST /shop.v1.Orders/GetOrder NOT_FOUND');
  });

  it('fakes what nobody listens for while that is so, and reloads without a restart', async () => {
    config({ users: { targets: [`http://${NOWHERE}`] } }, [route('users')]);
    const ready = await start('--fake-missing');
    expect(await (await get(ready, '/users/7')).json()).toEqual({ fake: 'users', method: 'GET', path: '/users/7' });
    expect(serving(ready).fakes).toEqual(['users is faked by an echo of what was asked, since nobody listens there']);
    const upstream = await startUpstream();
    config({ users: { targets: [upstream.url] } }, [route('users')]);
    const reloaded = await reload();
    expect(serving(reloaded)).toMatchObject({ urls: serving(ready).urls, fakes: [] });
    const answer = await get(reloaded, '/users/7');
    expect([answer.headers.get('x-gatehouse-fake'), upstream.requests.length]).toEqual([null, 1]);
    await upstream.stop();
  });

  it('tells faults of a configuration, and goes on with the one before', async () => {
    config({ users: { targets: [`http://${NOWHERE}`] } }, [route('users')]);
    const ready = await start('--fake', 'users');
    writeFileSync(file, 'version: 1\nroutse: []\n');
    expect(await reload()).toMatchObject({ is: 'reloaded', outcome: 'faulty', text: expect.stringMatching(/gateway\.yaml:2:1 {2}routse {2}unknown key; did you mean "routes"\?/) });
    expect((await get(ready, '/users/7')).status).toBe(200);
    writeFileSync(file, 'version: 1\nmodules: [orders]\n');
    expect(await reload()).toMatchObject({ outcome: expect.stringMatching(/faulty|needs-restart/) });
  });

  it('has a descriptor set, a document and the configuration among the files that are looked at', async () => {
    write('o.json', { openapi: '3.0.3', paths: {} });
    config({ users: { targets: [`http://${NOWHERE}`] }, orders: { protocol: 'grpc', descriptorSet: 'config/descriptors/shop.binpb', targets: [`grpc://${NOWHERE}`] } }, [route('users')]);
    const ready = await start('--fake', `users=${join(folder, 'o.json')}`);
    const paths = 'files' in ready ? ready.files.map(({ path }) => path) : [];
    expect(paths).toEqual(expect.arrayContaining([file, join(folder, 'o.json'), join(process.cwd(), 'config/descriptors/shop.binpb')]));
  });

  it.each([
    ['usres', '--fake  usres  there is no such upstream; did you mean "users"?'],
    ['users=none.yaml', '--fake  users  there is no file none.yaml'],
    ['users=package.json', 'package.json: expected `openapi` 3.0 or 3.1, found none'],
    ['plain', '--fake  plain  nothing describes its services'],
  ])('does not start with --fake %s', async (fake, text) => {
    config({ users: { targets: [`http://${NOWHERE}`] }, plain: { protocol: 'grpc', targets: [`grpc://${NOWHERE}`] } }, [route('users')]);
    expect(await start('--fake', fake)).toMatchObject({ is: 'failed', text: expect.stringContaining(text) });
  });
}); // prettier-ignore

const ORDERS = { protocol: 'grpc', descriptorSet: 'config/descriptors/shop.binpb' };
interface Order {
  readonly id: string;
}

/** Has another gateway record what a service of orders answers: a page of them, and one. */
async function recordOrders(sample: string): Promise<{ readonly whole: object; readonly one: Order }> {
  const service = await startOrders({ port: 0 });
  const secret = 'a-shared-secret-that-is-long-enough-for-it';
  process.env['SIGNING'] = secret;
  const other = await startGateway({
    config: JSON.stringify({
      version: 1,
      identity: { issuers: [{ issuer: 'https://id.test/', secretEnv: 'SIGNING', audiences: ['api'] }] },
      defaults: { policies: { authentication: { schemes: ['jwt'] } } },
      upstreams: { orders: { ...ORDERS, targets: [service.url] } },
      routes: [{ id: 'orders', upstream: 'orders', grpc: { service: 'shop.v1.Orders' } }],
    }),
  });
  const recording = await fetch(`${other.adminUrl}/record`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ max: 2, answers: '16KiB' }),
  });
  const token = await signWithSecret(secret, 'https://id.test/', { claims: { sub: '1', roles: ['admin'] } });
  const ask = async <Of>(path: string): Promise<Of> => {
    const answer = await fetch(other.url + path, { headers: { authorization: `Bearer ${token}` } });
    return (await answer.json()) as Of;
  };
  const whole = await ask<{ readonly orders: readonly [Order] }>('/api/v3/orders?pageSize=2');
  const one = await ask<Order>(`/api/v3/orders/${whole.orders[0].id}`);
  writeFileSync(sample, await recording.text());
  delete process.env['SIGNING'];
  await Promise.all([other.stop(), service.stop()]);
  return { whole, one };
}

/** Has another gateway record what its upstream answers. */
async function recordAnswers(sample: string): Promise<void> {
  const upstream = await startUpstream((request, response) => {
    response.writeHead(203, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ name: 'Ann', url: request.url, password: 'swordfish' }));
  });
  const other = await startGateway({
    config: JSON.stringify({
      version: 1,
      defaults: { policies: { authentication: 'public' } },
      upstreams: { it: { targets: [upstream.url] } },
      routes: [{ id: 'all', match: { path: '/*' }, upstream: 'it' }],
    }),
  });
  const recording = await fetch(`${other.adminUrl}/record`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ max: 1, answers: '1KiB' }),
  });
  await (await fetch(`${other.url}/it/users/7?full=1`)).text();
  writeFileSync(sample, await recording.text());
  await other.stop();
  await upstream.stop();
}
