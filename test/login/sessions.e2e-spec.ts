import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Answer } from '../support/client.ts';
import { LoginStage } from '../support/login.ts';
import { OPENS, type Visitor } from '../support/visitor.ts';

let stage: LoginStage;
beforeAll(async () => {
  stage = await LoginStage.start({ store: 'redis', replicas: 2 });
});
afterAll(() => stage?.stop());

const seen = (answer: Answer): Record<string, string> =>
  answer.json<{ headers: Record<string, string> }>().headers;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 500; turn += 1) {
    if (await holds()) return;
    await sleep(10);
  }
  throw new Error('it never held');
}

const refusedAt = (visitor: Visitor, replica: number) => async (): Promise<boolean> =>
  (await visitor.ask('/api/x', {}, stage.at(replica))).status === 401;

describe('a browser that logs in', () => {
  it('is known at every replica, and services get neither its cookie nor a token', async () => {
    const bob = stage.visitor();
    expect((await bob.ask('/api/x')).json()).toMatchObject({ status: 401, code: 'credentials-missing' });
    const hop = await bob.logIn('/page?a=1');
    expect([hop.status, hop.text]).toEqual([200, expect.stringContaining('url=/page?a=1"')]);
    expect([...bob.cookies.keys()]).toEqual(['__Host-Http-gatehouse']);
    for (const replica of [0, 1]) {
      // A replica lets nobody in before it knows who is revoked.
      await until(async () => (await bob.ask('/api/x', {}, stage.at(replica))).status !== 503);
      const answer = await bob.ask('/api/x', { headers: {} }, stage.at(replica));
      expect(answer.status).toBe(200);
      expect(seen(answer)).toMatchObject({ 'x-user-id': 'bob', 'x-user-roles': 'user' });
      expect(seen(answer)).not.toHaveProperty('cookie');
      expect(seen(answer)).not.toHaveProperty('authorization');
    }
    const me = await bob.ask('/session');
    expect(me.json()).toMatchObject({ subject: 'bob', email: 'bob@example.com', roles: ['user'] });
    expect(me.headers['cache-control']).toBe('no-store');
    expect(me.text).not.toMatch(/eyJ|token/);
  });

  it('gives its access token to services whose route says so', async () => {
    const bob = await stage.guest();
    const answer = await bob.ask('/bearer', { headers: { authorization: 'Bearer of-the-page' } });
    expect(seen(answer)['authorization']).toMatch(/^Bearer (?!of-the-page).+/);
    // The list of what services are told in plain fields is no word on tokens.
    const alone = seen(await bob.ask('/bearer/alone'));
    expect(alone['authorization']).toBe(seen(answer)['authorization']);
    expect(alone).not.toHaveProperty('x-user-id');
  });

  it('keeps its access token from a mirror whose upstream takes none', async () => {
    const bob = await stage.guest();
    expect(seen(await bob.ask('/bearer/mirrored'))).toHaveProperty('authorization');
    const mirrored = () => stage.echo.requests.find(({ headers }) => 'x-gatehouse-mirror' in headers);
    await until(async () => mirrored() !== undefined);
    expect(mirrored()?.headers).toMatchObject({ 'x-user-id': 'bob' });
    expect(mirrored()?.headers).not.toHaveProperty('authorization');
  });

  it('is sent to log in where a page asks for that, and told so everywhere else', async () => {
    const nobody = stage.visitor();
    const page = await nobody.open('/page?x=1');
    expect([page.status, page.headers.location]).toEqual([
      303,
      expect.stringMatching(/\/login\?return=%2Fpage%3Fx%3D1$/),
    ]);
    expect((await nobody.open('/api/x')).status).toBe(401);
    expect((await nobody.ask('/page')).status).toBe(401);
    // The cookie may be there, and was only not sent.
    const hop = await nobody.open('/page', { 'sec-fetch-site': 'cross-site' });
    expect([hop.status, hop.text]).toEqual([200, expect.stringContaining('url=/page"')]);
  });

  it('goes on with several log-ins at once, five at most', async () => {
    const bob = stage.visitor();
    const callbacks: string[] = [];
    for (let tab = 0; tab < 6; tab += 1) callbacks.push(await bob.untilCallback(`/tab/${tab}`));
    expect(bob.cookies.size).toBe(5);
    const [first = '', ...others] = callbacks;
    for (const [index, callback] of others.entries()) {
      bob.cookies.delete('__Host-Http-gatehouse');
      expect((await bob.open(callback)).text).toContain(`url=/tab/${index + 1}"`);
    }
    expect((await bob.open(first)).text).toContain('url=/login?again"');
    expect((await bob.open('/login?again')).headers.location).toBe(`${stage.at()}/`);
  });
});

describe('tokens that grow old', () => {
  let bob: Visitor;
  beforeAll(async () => {
    stage.provider.lifeS = 2;
    bob = await stage.guest();
    stage.provider.lifeS = 600;
    await sleep(1100);
    stage.provider.asked.length = 0;
  });

  it('are refreshed once for fifty calls at two replicas', async () => {
    const calls = Array.from({ length: 50 }, (_, index) => bob.ask('/bearer', {}, stage.at(index % 2)));
    const answers = await Promise.all(calls);
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
    expect(stage.provider.asked).toEqual(['refresh_token']);
    expect(new Set(answers.map((answer) => seen(answer)['authorization'])).size).toBe(1);
  });

  it('go on while the provider is down, until they expire, and when it is back', async () => {
    stage.provider.lifeS = 4;
    const eve = await stage.guest();
    stage.provider.lifeS = 600;
    await sleep(2100);
    stage.provider.fault = (_request, response) => {
      response.writeHead(500).end();
      return true;
    };
    try {
      // Old enough to be refreshed, with nearly two seconds left.
      expect((await eve.ask('/api/x')).status).toBe(200);
      await sleep(1000);
      await until(async () => (await eve.ask('/api/x')).status !== 200);
      expect((await eve.ask('/api/x')).json()).toMatchObject({ status: 503, code: 'identity-unavailable' });
    } finally {
      stage.provider.fault = undefined;
    }
    await until(async () => (await eve.ask('/api/x')).status === 200);
  });
});

describe('a session that ends', () => {
  it('ends at every replica by a log-out, which goes on at the provider', async () => {
    const bob = await stage.guest();
    const copy = new Map(bob.cookies);
    expect((await bob.ask('/api/x', {}, stage.at(1))).status).toBe(200);
    const answer = await bob.ask('/logout', { method: 'POST' });
    const { location } = answer.json<{ location: string }>();
    expect(location).toContain(`${stage.provider.issuer}/session/end?id_token_hint=`);
    expect(bob.cookies.size).toBe(0);
    for (const [name, value] of copy) bob.cookies.set(name, value);
    expect(await refusedAt(bob, 0)()).toBe(true);
    bob.cookies.set('__Host-Http-gatehouse', copy.get('__Host-Http-gatehouse') ?? '');
    await until(refusedAt(bob, 1));
  });

  it('ends by the address that the session says, and by no other one', async () => {
    const bob = await stage.guest();
    const { logout } = (await bob.ask('/session')).json<{ logout: string }>();
    for (const path of ['/logout', '/logout?sid=guessed'])
      expect((await bob.open(path)).json()).toMatchObject({ code: 'permission-denied' });
    expect((await bob.open(logout)).status).toBe(303);
    expect((await bob.ask('/api/x')).status).toBe(401);
  });

  it.each([
    [
      'its own name',
      async (carl: Visitor) => ({
        jti: `session:${(await carl.ask('/session')).json()['session'] as string}`,
      }),
    ],
    ['its subject', async () => ({ sub: 'carl' })],
  ])('ends at every replica when it is revoked by %s', async (_what, orderFor) => {
    stage.provider.user = 'carl';
    const carl = await stage.guest();
    stage.provider.user = 'bob';
    expect((await carl.ask('/api/x', {}, stage.at(1))).status).toBe(200);
    const response = await fetch(`${stage.gateways[0]?.adminUrl}/revocations`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(await orderFor(carl)),
    });
    expect(response.status).toBe(200);
    await until(refusedAt(carl, 1));
  });

  it('ends at every replica when its user logs out at the provider', async () => {
    const [bob, other] = [await stage.guest(), await stage.guest()];
    for (const replica of [0, 1]) expect(await refusedAt(bob, replica)()).toBe(false);
    await bob.logOutAtProvider(stage.provider.issuer);
    expect(stage.provider.untold).toEqual([]);
    for (const replica of [0, 1]) await until(refusedAt(bob, replica));
    expect(await refusedAt(other, 1)()).toBe(false);
  });
});

it('tells nobody who reads Redis anything of a session', async () => {
  const bob = await stage.guest();
  await bob.open('/page', OPENS);
  const redis = stage.redis?.client();
  const keys = (await redis?.keys('gatehouse:*')) ?? [];
  const texts = await Promise.all(
    keys.map(async (key) => key + ((await redis?.get(key).catch(() => '')) ?? '')),
  );
  expect(keys.some((key) => key.startsWith('gatehouse:session:'))).toBe(true);
  for (const text of texts) {
    expect(text).not.toMatch(/eyJ[\w-]+\.eyJ/);
    expect(text).not.toContain(bob.cookies.get('__Host-Http-gatehouse'));
  }
});
