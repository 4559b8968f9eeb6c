import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { randomUUID } from 'node:crypto';
import type { ConfigError } from '../../src/config/config-fault.ts';
import { Cache } from '../../src/policies/cache/cache.policy.ts';
import { Transform } from '../../src/policies/transform/transform.policy.ts';
import { checkGateway } from '../support/gateway.ts';
import { handlers, KeptModule } from '../support/kept-handlers.ts';
import type { Answer } from '../support/client.ts';
import { useShop, type ShopCall } from '../support/shop.ts';

const holder = useShop({ modules: [KeptModule] });

const ask = (path: string, options?: ShopCall): Promise<Answer> => holder.shop.call(path, options);

afterEach(() => handlers.clear());

/** Who asks, one after the other, and what each is to see of what is masked for all but admins. */
const ORDERS: readonly (readonly [string, readonly ('user' | 'admin')[]])[] = [
  ['a user first', ['user', 'admin', 'user', 'admin']],
  ['an admin first', ['admin', 'user', 'admin', 'user']],
];

describe('what is stored of a handler for one caller', () => {
  it('is never given to another one, nor to nobody', async () => {
    const ada = { as: 'admin' } as const;
    const first = await ask('/mine/who/a', ada);
    const bob = await ask('/mine/who/a', { as: 'user' });
    expect(bob.json()['who']).not.toBe(first.json()['who']);
    expect(bob.headers).not.toHaveProperty('x-cache');
    expect((await ask('/mine/who/a')).status).toBe(401);
  });

  it('is never that of another token of the same user', async () => {
    const token = () => holder.shop.services.identity.token('user');
    const bearer = async () => ({ headers: { authorization: `Bearer ${await token()}` } });
    const mine = await bearer();
    await ask('/mine/who/b', mine);
    expect((await ask('/mine/who/b', mine)).headers['x-cache']).toBe('HIT');
    expect((await ask('/mine/who/b', await bearer())).headers).not.toHaveProperty('x-cache');
  });

  describe.each(['masked', 'masked-text'])('and masked for it (%s)', (kind) => {
    it.each(ORDERS)('shows each what it may see, with %s', async (what, order) => {
      const { identity } = holder.shop.services;
      const tokens = { user: await identity.token('user'), admin: await identity.token('admin') };
      const path = `/mine/${kind}/${what.replaceAll(' ', '-')}`;
      const seen = new Map<string, Answer>();
      for (const who of order) {
        const answer = await ask(path, { headers: { authorization: `Bearer ${tokens[who]}` } });
        expect(answer.status).toBe(200);
        expect(answer.text.includes('s3cret')).toBe(who === 'admin');
        const before = seen.get(who);
        if (before !== undefined) {
          expect(answer.headers['x-cache']).toBe('HIT');
          expect(answer.text).toBe(before.text);
        }
        // What one was told may not prove anything to the other.
        const foreign = seen.get(who === 'admin' ? 'user' : 'admin')?.headers.etag;
        if (foreign !== undefined) expect(answer.headers.etag).not.toBe(foreign);
        seen.set(who, answer);
      }
    });
  });
});

describe('what is stored of a handler for everybody', () => {
  it('needs the handler to say so, and is edited once', async () => {
    const path = '/mine/open/a';
    const [bob, ada] = [await ask(path, { as: 'user' }), await ask(path, { as: 'admin' })];
    expect(ada.text).not.toBe(bob.text);
    handlers.fields = { 'cache-control': 'public' };
    const [one, two] = [await ask(path, { as: 'user' }), await ask(path, { as: 'admin' })];
    expect(two.headers['x-cache']).toBe('HIT');
    expect(two.text).toBe(one.text);
    expect(two.json()).toEqual({ wrapped: { run: expect.any(Number) } });
  });

  it('cannot be masked for some of them: the gateway does not start', async () => {
    @Controller('torn')
    @Cache({ ttl: '1h', scope: 'public' })
    class TornController {
      @Get()
      @Transform({ response: { maskFields: [{ fields: ['secret'], unless: { role: 'admin' } }] } } as never)
      show(): object {
        return {};
      }
    }
    @Module({ controllers: [TornController] })
    class TornModule {}
    const config = JSON.stringify({ version: 1, defaults: { policies: { authentication: 'public' } } });
    const refused: unknown = await checkGateway({ config, modules: [TornModule] }).catch(
      (error: unknown) => error,
    );
    expect((refused as ConfigError).faults).toEqual([
      expect.objectContaining({
        file: 'test/policies/cache-handlers-callers.e2e-spec.ts',
        key: 'TornController.show  policies.transform.response',
        message: expect.stringContaining('`cache.scope: public` cannot keep apart'),
      }),
    ]);
  });

  it('is kept from whom the guards of the handler refuse', async () => {
    handlers.fields = { 'cache-control': 'public' };
    const path = '/mine/guarded/a';
    const first = await ask(path, { as: 'user' });
    const again = await ask(path, { as: 'admin' });
    expect([again.text, again.headers['x-cache']]).toEqual([first.text, 'HIT']);
    handlers.refuses = true;
    const refused = await ask(path, { as: 'admin' });
    expect([refused.status, refused.text.includes('run')]).toEqual([403, false]);
    expect(await holder.shop.lineOf(refused)).not.toHaveProperty('cache');
    handlers.refuses = false;
    expect((await ask(path, { as: 'user' })).headers['x-cache']).toBe('HIT');
  });

  it('is no refusal of a guard', async () => {
    handlers.refuses = true;
    handlers.fields = { 'cache-control': 'public' };
    expect((await ask('/mine/guarded/b', { as: 'user' })).status).toBe(403);
    handlers.refuses = false;
    expect((await ask('/mine/guarded/b', { as: 'user' })).status).toBe(200);
  });
});

describe('an earlier answer to a key', () => {
  it('is kept from whom the guards of the handler refuse', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const patch = () => ask('/mine/guarded/a', { as: 'user', method: 'PATCH', headers });
    const first = await patch();
    expect((await patch()).headers['idempotent-replayed']).toBe('true');
    handlers.refuses = true;
    const refused = await patch();
    expect([first.status, refused.status, refused.text.includes('run')]).toEqual([200, 403, false]);
  });
});
