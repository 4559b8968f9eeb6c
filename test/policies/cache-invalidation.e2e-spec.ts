import { beforeEach, describe, expect, it } from '@jest/globals';
import { Body, Controller, HttpCode, HttpException, Module, Post } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Public } from '../../src/policies/authentication/authentication.policy.ts';
import { useShop, type RouteInput } from '../support/shop.ts';

const CHANGE = z.object({ wrong: z.boolean().optional() }).optional();

/** Changes what a route of the configuration file reads. */
@Controller()
@Public()
class ItemsController {
  @Post('items/controlled')
  @HttpCode(201)
  change(@Body({ schema: CHANGE }) body: { readonly wrong?: boolean } | undefined): object {
    if (body?.wrong === true) throw new HttpException('wrong', 422);
    return {};
  }
}

@Module({ controllers: [ItemsController] })
class ItemsModule {}

const OPEN = { authentication: 'public' };
const cached = (id: string, match: object = {}): RouteInput => ({
  id,
  match: { path: `/${id}/*`, ...match },
  upstream: 'echo',
  policies: { ...OPEN, cache: { ttl: '1h', scope: 'public' } },
});

const holder = useShop({
  modules: [ItemsModule],
  routes: [
    cached('items', { methods: ['GET'] }),
    {
      id: 'writes',
      match: { path: '/items/*', methods: ['POST', 'PUT', 'DELETE', 'PATCH'] },
      upstream: 'echo',
      policies: OPEN,
    },
    cached('both'),
    { ...cached('controlled'), match: { path: '/items/controlled', methods: ['GET'] } },
  ],
});

let served = 0;
let status = 200;
let waitMs = 0;

beforeEach(() => {
  status = 200;
  waitMs = 0;
  holder.shop.echo.listener = async ({ method }, response) => {
    const text = String((served += 1));
    if (method === 'GET') await sleep(waitMs);
    response.writeHead(method === 'GET' ? 200 : status).end(text);
  };
});

const read = async (path: string): Promise<string> => (await holder.shop.call(path)).text;
const write = (path: string, method = 'POST', body?: string) =>
  holder.shop.call(path, { method, body, headers: { 'content-type': 'application/json' } });

/** Whether what was stored of the path is gone after something has happened. */
async function isGoneAfter(path: string, happen: () => Promise<unknown>): Promise<boolean> {
  const before = await read(path);
  expect(await read(path)).toBe(before);
  await happen();
  return (await read(path)) !== before;
}

describe('a stored answer', () => {
  it.each([
    ['POST through the same route', '/both/a', 'POST'],
    ['POST through another route', '/items/a', 'POST'],
    ['PUT through another route', '/items/b', 'PUT'],
    ['DELETE through another route', '/items/c?x=1', 'DELETE'],
    ['PATCH through another route', '/items/d', 'PATCH'],
    ['POST to a controller', '/items/controlled', 'POST'],
  ])('is gone after %s', async (_, path, method) => {
    expect(await isGoneAfter(path, () => write(path, method, method === 'POST' ? '{}' : undefined))).toBe(
      true,
    );
  });

  it.each([201, 204, 303])('is gone after an answer with %i', async (code) => {
    status = code;
    expect(await isGoneAfter(`/items/${code}`, () => write(`/items/${code}`))).toBe(true);
  });

  it.each([400, 404, 409, 500, 503])('stays after an answer with %i, which changed nothing', async (code) => {
    status = code;
    expect(await isGoneAfter(`/items/${code}`, () => write(`/items/${code}`))).toBe(false);
  });

  it('stays when a controller refuses, and when something else is changed', async () => {
    expect(
      await isGoneAfter('/items/controlled', () => write('/items/controlled', 'POST', '{"wrong":true}')),
    ).toBe(false);
    expect(await isGoneAfter('/items/e', () => write('/items/f'))).toBe(false);
    expect(await isGoneAfter('/items/e?x=1', () => write('/items/e?x=2'))).toBe(false);
    expect(
      await isGoneAfter('/items/e?x=1', () => holder.shop.call('/both/e?x=1', { method: 'OPTIONS' })),
    ).toBe(false);
  });

  it('is none of a read that was under way when something changed', async () => {
    waitMs = 50;
    const [old] = await Promise.all([read('/items/race'), write('/items/race')]);
    waitMs = 0;
    expect(await read('/items/race')).not.toBe(old);
  });
});
