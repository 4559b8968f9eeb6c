import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Authentication } from '../../src/policies/authentication/authentication.policy.ts';
import { Idempotency } from '../../src/policies/idempotency/idempotency.policy.ts';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { startUpstream, type Echo, type TestUpstream } from '../support/upstream.ts';

const SECRET = 'A'.repeat(43);
const COOKIES = `a=1; gatehouse-admin=${SECRET}; __Host-gatehouse-admin=${SECRET}`;
const open = { authentication: 'public' };

/** A handler that tells all that it can find out of a request. */
@Controller('told')
@Authentication('public')
class TellingController {
  @Get()
  tell(@Req() { headers, raw }: FastifyRequest): object {
    return { headers, raw: raw.rawHeaders, lines: raw.headersDistinct };
  }

  @Post()
  @Idempotency({ anonymous: 'address' })
  once(@Req() { raw }: FastifyRequest): object {
    return { lines: raw.headersDistinct };
  }
}
@Module({ controllers: [TellingController] })
class TellingModule {}

let upstream: TestUpstream;
let gateway: TestGateway;
beforeAll(async () => {
  upstream = await startUpstream();
  const route = (id: string, more: object): object => ({ id, upstream: 'it', policies: open, ...more });
  gateway = await startGateway({
    modules: [TellingModule],
    config: JSON.stringify({
      version: 1,
      identity: { apiKeyOptions: { header: 'x-team-key' } },
      upstreams: { it: { targets: [upstream.url] } },
      routes: [
        route('matched', { match: { path: '/matched', cookies: { 'gatehouse-admin': SECRET } } }),
        route('hashed', { match: { path: '/hashed' } }),
        route('once', {
          match: { path: '/once' },
          policies: {
            ...open,
            idempotency: { anonymous: 'address' },
            transform: { request: { body: [{ remove: ['x'] }] } },
          },
        }),
      ],
    }),
  });
});
afterAll(async () => {
  await gateway?.stop();
  await upstream?.stop();
});

describe('the session of an operator, whose browser sends it to every port of a host', () => {
  it('is seen by no handler, in none of the ways that it can be read', async () => {
    const { status, text } = await call(`${gateway.url}/told`, { headers: { cookie: COOKIES } });
    expect(status).toBe(200);
    expect(text).not.toContain(SECRET);
    expect(JSON.parse(text)).toMatchObject({ headers: { cookie: 'a=1' }, lines: { cookie: ['a=1'] } });
  });

  it('chooses no route', async () => {
    const headers = { cookie: COOKIES };
    expect((await call(`${gateway.url}/matched`, { headers })).status).toBe(404);
    const { text } = await call(`${gateway.url}/hashed`, { headers });
    expect((JSON.parse(text) as Echo).headers['cookie']).toBe('a=1');
  });

  it.each([
    ['a cookie', { cookie: `gatehouse-admin=${SECRET}` }],
    ['a key where keys are not looked for', { 'x-api-key': 'x' }],
  ])('is taken away without a trace: %s', async (_what, taken) => {
    const headers = { ...taken, 'idempotency-key': crypto.randomUUID(), 'content-type': 'application/json' };
    for (const path of ['/once', '/told']) {
      const { status, text } = await call(gateway.url + path, { method: 'POST', headers, body: '{}' });
      expect([path, Math.floor(status / 100), text.includes(SECRET)]).toEqual([path, 2, false]);
    }
  });
});
