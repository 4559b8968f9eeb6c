import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { METHODS } from 'node:http';
import { Authentication, Public } from '../../src/policies/authentication/authentication.policy.ts';
import { Roles } from '../../src/policies/authorization/authorization.policy.ts';
import { speak, statusOf } from '../support/client.ts';
import { useShop } from '../support/shop.ts';
import type { Echo } from '../support/upstream.ts';

@Controller('vault')
class VaultController {
  @Get('keys')
  @Authentication({ schemes: ['jwt'] })
  @Roles('admin')
  keys(): string {
    return 'secret';
  }

  @Get('*')
  @Public()
  rest(): string {
    return 'open';
  }
}

@Controller('safe')
class SafeController {
  @Get()
  @Authentication({ schemes: ['jwt'] })
  @Roles('admin')
  all(): string {
    return 'secret';
  }

  @Get(':box')
  @Public()
  box(): string {
    return 'open';
  }
}

@Module({ controllers: [VaultController, SafeController] })
class TeamModule {}

const OPEN = { upstream: 'echo', policies: { authentication: 'public' } };
const ADMIN = { upstream: 'echo', policies: { authorization: { anyRole: ['admin'] } } };

const holder = useShop({
  routes: [
    { id: 'everything', match: { path: '/*' }, ...OPEN },
    { id: 'keys', match: { path: '/admin/keys' }, ...ADMIN },
    { id: 'mine', match: { path: '/people/@me' }, ...ADMIN },
    { id: 'cancel', match: { path: '/orders/{id}:cancel' }, ...ADMIN },
    { id: 'order', match: { path: '/orders/{id}' }, ...OPEN },
    { id: 'area', match: { path: '/Area/*' }, ...ADMIN },
    { id: 'tag', match: { path: '/tags/{tag}' }, ...OPEN },
    { id: 'new-tag', match: { path: '/tags/new' }, ...OPEN },
    { id: 'box', match: { path: '/vault/box' }, ...ADMIN },
  ],
  modules: [TeamModule],
});

// What servers of the field read as a path that is not for everybody.
const SPELLINGS: readonly [path: string, status: number][] = [
  ['/admin/keys', 401],
  ['/admin/%6beys', 401],
  ['/admin/keys/', 404],
  ['/admin/KEYS', 404],
  ['/Admin/keys', 404],
  ['/ADMIN/KEYS/', 404],
  ['/admin/keys//', 400],
  ['//admin/keys', 400],
  ['/admin//keys', 400],
  ['/./admin/keys', 400],
  ['/admin/keys/.', 400],
  ['/admin/keys;x', 400],
  ['/admin;x/keys', 400],
  ['/admin/keys;x/', 400],
  ['/admin/keys/;x', 400],
  ['/Admin;x/keys', 404],
  ['/admin/keys%3Bx', 404],
  // Servers that drop parameters merge the slashes that are left.
  ['/;/admin/keys', 400],
  ['/;x/admin/keys', 400],
  ['/admin/;x/keys', 400],
  ['/admin;a/;b/;c/keys', 400],
  ['/%3Bx/admin/keys', 404],
  ['/admin/%3B/keys', 404],
  ['/;x/Admin/keys', 404],
  ['/admin%2fkeys', 400],
  ['/admin/keys%00', 400],
  ['/admin%5Ckeys', 400],
  ['/people/@me', 401],
  ['/people/%40me', 404],
  ['/people/%40ME', 404],
  ['/orders/7:cancel', 401],
  ['/orders/7%3Acancel', 404],
  ['/orders/7:CANCEL', 404],
  ['/orders/7:cancel/', 404],
  ['/area/x', 404],
  ['/area', 404],
  ['/AREA/', 404],
  ['/Area', 401],
  ['/Area/', 401],
  ['/vault/keys', 401],
  ['/vault/keys/', 404],
  // Fastify would give it to the `*` of the controller, which the route of the file is more specific than.
  ['/vault/box', 404],
  ['/vault/box/', 404],
  ['/safe', 401],
  ['/safe/', 404],
  ['/safe/1/', 404],
];

describe('a path that is not for everybody', () => {
  it.each(SPELLINGS)('is not read by an upstream when it is spelled %s', async (path, status) => {
    const before = holder.shop.echo.requests.length;
    const answer = await holder.shop.call(path);
    expect([answer.status, answer.text.includes('secret')]).toEqual([status, false]);
    expect(holder.shop.echo.requests).toHaveLength(before);
  });

  it.each(
    SPELLINGS.filter(([path, status]) => status === 404 && path !== '/vault/box').map(([path]) => path),
  )('has no other method either: %s', async (path) => {
    const before = holder.shop.echo.requests.length;
    for (const method of ['HEAD', 'POST', 'OPTIONS', 'PROPFIND']) {
      expect([404, 405]).toContain((await holder.shop.call(path, { method })).status);
    }
    expect(holder.shop.echo.requests).toHaveLength(before);
  });
});

describe('a start', () => {
  it('warns of what falls through, with its place', async () => {
    const [warning] = await holder.shop.gateway.linesWhere((line) => line.msg.includes('through the route'));
    expect(warning).toMatchObject({ level: 40, routeId: 'box', key: 'routes[box].match.methods' });
    expect(warning?.msg).toContain('GET, HEAD of /vault/box can be called through the route "vault.rest"');
  });
});

describe('what is nobody else’s', () => {
  it.each(['/', '/admin', '/admin/', '/Admin', '/admin/keys/x', '/other/', '/other;a=1/x', '/;/other', '/Other%20One', '/tags/New', '/orders/AB', '/orders/a%40b'])(
    'goes on to the open route: %s',
    async (path) => {
      const answer = await holder.shop.call(path);
      expect([answer.status, answer.json<Echo>().url]).toEqual([200, path]);
    },
  ); // prettier-ignore

  it.each(['/vault/other', '/vault/Keys', '/vault/keys/x', '/safe/1', '/vault/other/'])(
    'goes on to the open handler: %s',
    async (path) => {
      expect((await holder.shop.call(path)).text).toBe('open');
    },
  );
});

describe('a route that names no methods', () => {
  const SPECIAL = new Set(['CONNECT']);

  it.each(METHODS.filter((method) => !SPECIAL.has(method)))('takes %s', async (method) => {
    const answer = await holder.shop.call('/dav/x', { method });
    expect(answer.status).toBe(200);
    if (method !== 'HEAD') expect(answer.json<Echo>()).toMatchObject({ method, url: '/dav/x' });
  });

  it('takes a body with a method that few servers know', async () => {
    const headers = { 'content-type': 'application/xml' };
    const answer = await holder.shop.call('/dav/x', { method: 'PROPFIND', headers, body: '<a/>' });
    expect(answer.json<Echo>()).toMatchObject({ method: 'PROPFIND', body: '<a/>' });
  });

  it.each(['PROPFIND', 'QUERY', 'M-SEARCH'])('does not take %s where its path has an owner', async (method) => {
    expect((await holder.shop.call('/api/v1/orders', { method })).status).toBe(405);
    expect((await holder.shop.call('/safe/1', { method })).status).toBe(405);
    expect((await holder.shop.call('/admin/keys', { method })).status).toBe(401);
  }); // prettier-ignore

  it.each(['FOO', 'get', 'PROPFINDS'])('does not take %s, which the parser refuses', async (method) => {
    const answer = await speak(holder.shop.gateway.url, `${method} /dav/x HTTP/1.1\r\nhost: a\r\n\r\n`);
    expect(statusOf(answer)).toBe(501);
  });
});
