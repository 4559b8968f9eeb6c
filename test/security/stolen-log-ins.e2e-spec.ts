import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { Query, Resolver } from '@nestjs/graphql';
import { SignJWT, type JWTPayload } from 'jose';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { AuditFolder, type WrittenEvent } from '../support/audit.ts';
import { call, type Answer } from '../support/client.ts';
import { APP, EVIL, LoginStage } from '../support/login.ts';
import { CLIENT } from '../support/login-provider.ts';
import { refused, open as openSocket } from '../support/socket-client.ts';
import { echoSockets, type SocketService } from '../support/socket-service.ts';
import { ASKS, OPENS, type Visitor } from '../support/visitor.ts';

const SESSION = '__Host-Http-gatehouse';
const audit = new AuditFolder();

@Resolver()
class HelloResolver {
  @Query(() => String)
  hello(): string {
    return 'hello';
  }
}

@Module({ providers: [HelloResolver] })
class HelloModule {}

let stage: LoginStage;
let sockets: SocketService;
let bob: Visitor;
beforeAll(async () => {
  stage = await LoginStage.start({
    store: 'cookie',
    more: {
      modules: ['hello'],
      audit: { file: audit.file, denials: { perAddress: 1000, perSecond: 1000 } },
    },
    modules: [{ name: 'hello', module: HelloModule, graphql: true }],
  });
  sockets = echoSockets(stage.echo.server);
  bob = await stage.guest();
});
afterAll(async () => {
  await sockets?.stop();
  await stage?.stop();
  audit.remove();
});

const cookieOf = (visitor: Visitor): string => [...visitor.cookies].map((pair) => pair.join('=')).join('; ');
const ask = (headers: Record<string, string | string[]>, path = '/api/x', method = 'GET'): Promise<Answer> =>
  call(stage.at() + path, { method, headers });
const setBy = (answer: Answer): string[] => answer.headers['set-cookie'] ?? [];

describe('cookies', () => {
  it('are out of reach of scripts, of other hosts and of the clear', async () => {
    const eve = stage.visitor();
    const callback = await eve.untilCallback();
    const answer = await eve.open(callback);
    for (const line of setBy(answer)) {
      expect(line).toMatch(/^__Host-Http-gatehouse/);
      expect(line).toMatch(/; Path=\/; HttpOnly; Secure; SameSite=(Strict|Lax)$/);
      expect(line).not.toContain('Domain');
    }
    expect(setBy(answer).find((line) => line.startsWith(`${SESSION}=`))).toMatch(/SameSite=Strict$/);
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' });
  });

  it('that were planted before a log-in are no session after it', async () => {
    const victim = stage.visitor();
    const callback = await victim.untilCallback();
    victim.cookies.set(SESSION, 'planted');
    await victim.open(callback);
    expect(victim.cookies.get(SESSION)).not.toBe('planted');
    expect((await ask({ ...ASKS, cookie: `${SESSION}=planted` })).status).toBe(401);
  });

  it.each([
    [
      'one character changed',
      (value: string) => `${value.slice(0, 60)}${value[60] === 'A' ? 'B' : 'A'}${value.slice(61)}`,
    ],
    ['its end cut off', (value: string) => value.slice(0, -8)],
    ['another key named', (value: string) => `zzzzzz${value.slice(6)}`],
    ['nothing sealed', (value: string) => value.slice(0, 7)],
    ['no key named', (value: string) => value.slice(7)],
    ['a session in the clear', () => Buffer.from('{"sub":"admin"}').toString('base64url')],
    ['six thousand bytes of nothing', () => 'x'.repeat(6000)],
  ])('are refused with %s, and taken away', async (_what, edit) => {
    const answer = await ask({ ...ASKS, cookie: `${SESSION}=${edit(bob.cookies.get(SESSION) ?? '')}` });
    expect([answer.status, answer.json()['code']]).toEqual([401, 'credentials-invalid']);
    expect(setBy(answer)[0]).toMatch(/^__Host-Http-gatehouse=; Max-Age=0/);
  });

  it('are refused when there are two, and when one log-in is shown as a session', async () => {
    const value = bob.cookies.get(SESSION) ?? '';
    expect((await ask({ ...ASKS, cookie: `${SESSION}=x; ${SESSION}=${value}` })).status).toBe(401);
    expect((await ask({ ...ASKS, cookie: [`${SESSION}=${value}`, `${SESSION}=${value}`] })).status).toBe(401);
    const eve = stage.visitor();
    await eve.untilCallback();
    const [sealed = ''] = eve.cookies.values();
    expect((await ask({ ...ASKS, cookie: `${SESSION}=${sealed}` })).status).toBe(401);
  });

  it.each(['/api/x', '/open', '/bearer'])('never get to a service: %s', async (path) => {
    stage.echo.requests.length = 0;
    const cookie = `a=b; ${cookieOf(bob)}; ${SESSION}-login-x=y; ${SESSION}.1=z; ${SESSION}x=kept`;
    await ask({ ...ASKS, cookie }, path);
    // The second cookie makes the session another one, so that only the open route leads on.
    for (const { headers } of stage.echo.requests) expect(headers.cookie).toBe(`a=b; ${SESSION}x=kept`);
    expect((await ask({ ...ASKS, cookie: `a=b; ${cookieOf(bob)}` }, path)).text).not.toContain(SESSION);
  });
});

describe('pages of strangers', () => {
  it.each<[string, string, Record<string, string>, number]>([
    ['our own page', 'POST', { 'sec-fetch-site': 'same-origin' }, 200],
    ['an old browser on our page', 'POST', { origin: APP }, 200],
    ['an old browser that reads', 'GET', {}, 200],
    ['a user who types the address', 'GET', { ...OPENS }, 200],
    ['a link from another host of our site', 'GET', { ...OPENS, 'sec-fetch-site': 'same-site' }, 200],
    ['a form of a stranger', 'POST', { ...OPENS, 'sec-fetch-site': 'cross-site', origin: EVIL }, 403],
    [
      'a form of a neighbor',
      'POST',
      { ...OPENS, 'sec-fetch-site': 'same-site', origin: 'https://x.example.com' },
      403,
    ],
    ['a script of a neighbor', 'GET', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors' }, 403],
    ['an image of a stranger', 'GET', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }, 403],
    [
      'a frame of a stranger',
      'GET',
      { ...OPENS, 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'iframe' },
      403,
    ],
    ['an old browser on a strange page', 'POST', { origin: EVIL }, 403],
    ['an old browser that names no page', 'POST', {}, 403],
    ['a page without an origin', 'POST', { origin: 'null' }, 403],
    ['a user who types a POST', 'POST', { 'sec-fetch-site': 'none' }, 403],
    ['our host on another port', 'POST', { origin: `${APP}:8443` }, 403],
    ['two claims about the site', 'POST', { 'sec-fetch-site': 'cross-site, same-origin' }, 403],
    ['a DELETE of a stranger', 'DELETE', { origin: EVIL }, 403],
  ])('call with a session, or do not: %s', async (_what, method, headers, status) => {
    stage.echo.requests.length = 0;
    const answer = await ask({ cookie: cookieOf(bob), ...headers }, '/api/x', method);
    expect(answer.status).toBe(status);
    expect(stage.echo.requests).toHaveLength(status === 200 ? 1 : 0);
  });

  it.each<[string, Record<string, string>, number]>([
    ['our own page', ASKS, 200],
    ['a script of a stranger', { ...ASKS, 'sec-fetch-site': 'cross-site', origin: EVIL }, 403],
    ['a script of a neighbor', { ...ASKS, 'sec-fetch-site': 'same-site' }, 403],
    ['an old browser on a strange page', { origin: EVIL }, 403],
  ])('ask GraphQL by GET with it, or do not: %s', async (_what, headers, status) => {
    const asking = { cookie: cookieOf(bob), 'content-type': 'application/json', ...headers };
    const answer = await ask(asking, '/graphql?query=%7Bhello%7D');
    expect([answer.status, answer.text.includes('"hello":"hello"')]).toEqual([status, status === 200]);
  });

  it.each<[string, Record<string, string>, number]>([
    ['of a stranger whom the route lets open sockets without a session', { origin: EVIL }, 403],
    ['of nobody', {}, 403],
    ['of a neighbor', { origin: 'https://x.example.com', 'sec-fetch-site': 'same-site' }, 403],
  ])('open no socket with it: %s', async (_what, headers, status) => {
    const opening = { url: stage.at(), headers: { cookie: cookieOf(bob), ...headers } };
    expect((await refused('/socket', opening)).status).toBe(status);
  });

  it('open one from our own page, which ends with the session', async () => {
    const eve = await stage.guest();
    const { socket, closed } = await openSocket('/socket', {
      url: stage.at(),
      headers: { cookie: cookieOf(eve), origin: APP },
    });
    expect(String(sockets.handshakes.at(-1)?.headers.cookie)).toBe('undefined');
    await eve.ask('/logout', { method: 'POST' });
    expect((await closed).code).toBe(4401);
    socket.terminate();
  });

  it('have an event stream with it, which ends with the session', async () => {
    const eve = await stage.guest();
    const { listener } = stage.echo;
    stage.echo.listener = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: one\n\n');
    };
    const stream = await fetch(`${stage.at()}/api/events`, { headers: { ...ASKS, cookie: cookieOf(eve) } });
    stage.echo.listener = listener;
    const chunks = stream.body?.getReader();
    expect([stream.status, Buffer.from((await chunks?.read())?.value ?? []).toString()]).toEqual([
      200,
      'data: one\n\n',
    ]);
    await eve.ask('/logout', { method: 'POST' });
    const ended = (async () => {
      while ((await chunks?.read())?.done === false);
    })();
    await expect(ended).rejects.toThrow('terminated');
  });

  it('log nobody out, and see nobody', async () => {
    const cookie = cookieOf(bob);
    const stranger = { cookie, 'sec-fetch-site': 'cross-site', origin: EVIL };
    expect((await ask(stranger, '/logout', 'POST')).status).toBe(403);
    expect((await ask({ cookie, ...OPENS }, '/logout')).status).toBe(403);
    expect((await ask(stranger, '/session')).status).toBe(403);
    expect((await bob.ask('/api/x')).status).toBe(200);
  });
});

describe('log-ins', () => {
  it('end in the browser only that has begun them, and once', async () => {
    const [mallory, victim] = [stage.visitor(), stage.visitor()];
    const callback = await mallory.untilCallback();
    // The victim is sent to the callback of a stranger, to be logged in as that one.
    const lured = await victim.open(callback, { 'sec-fetch-site': 'cross-site' });
    expect(lured.text).toContain('url=/login?again"');
    expect(setBy(lured)).toEqual([]);
    const kept = new Map(mallory.cookies);
    expect((await mallory.open(callback)).status).toBe(200);
    for (const [name, value] of kept) mallory.cookies.set(name, value);
    const replayed = await mallory.open(callback);
    expect(replayed.text).toContain('url=/login?again"');
    expect(setBy(replayed)).toEqual([]);
  });

  it.each<[string, (callback: URL) => void]>([
    ['no state', (url) => url.searchParams.delete('state')],
    ['two states', (url) => url.searchParams.append('state', 'x')],
    ['another code', (url) => url.searchParams.set('code', 'x')],
    ['an issuer that is another one', (url) => url.searchParams.set('iss', 'https://evil.example')],
    ['no issuer, where the provider says that it names itself', (url) => url.searchParams.delete('iss')],
    ['a refusal of the provider', (url) => url.searchParams.set('error', 'access_denied')],
  ])('fail with %s', async (_what, edit) => {
    const eve = stage.visitor();
    const url = new URL(APP + (await eve.untilCallback()));
    edit(url);
    const answer = await eve.open(url.pathname + url.search);
    expect([answer.status, answer.json()['code']]).toEqual([400, 'login-failed']);
    expect(eve.cookies.has(SESSION)).toBe(false);
    const isIt = ({ requestId }: WrittenEvent): boolean => requestId === answer.headers['x-request-id'];
    expect(await audit.where(isIt)).toEqual([
      expect.objectContaining({ kind: 'denial', outcome: 'denied', reason: 'login-failed', status: 400 }),
    ]);
  });

  it('that nobody has begun are begun once more, and then no more', async () => {
    const eve = stage.visitor();
    const first = await eve.open('/login/callback?code=x&state=y');
    expect(first.text).toContain('url=/login?again"');
    const isIt = ({ requestId }: WrittenEvent): boolean => requestId === first.headers['x-request-id'];
    expect(await audit.where(isIt)).toEqual([
      expect.objectContaining({ kind: 'denial', action: 'login', outcome: 'denied', reason: 'login-failed' }),
    ]);
    const again = String((await eve.open('/login?again')).headers.location);
    const state = new URL(again).searchParams.get('state') ?? '';
    eve.cookies.clear();
    const answer = await eve.open(`/login/callback?code=x&state=${encodeURIComponent(state)}`);
    expect([answer.status, answer.json()['code']]).toEqual([400, 'login-failed']);
  });

  it('ask for a code with a challenge, a state and a nonce of their own', async () => {
    const places = await Promise.all(
      [0, 1].map(async () => new URL(String((await stage.visitor().open('/login')).headers.location))),
    );
    for (const { searchParams } of places)
      expect(Object.fromEntries(searchParams)).toMatchObject({
        response_type: 'code',
        redirect_uri: `${APP}/login/callback`,
        code_challenge_method: 'S256',
      });
    for (const name of ['state', 'nonce', 'code_challenge'])
      expect(new Set(places.map(({ searchParams }) => searchParams.get(name))).size).toBe(2);
  });

  it.each([
    'https://evil.example/', '//evil.example', '/\\evil.example', '/%5cevil.example', '/\tevil', '/%09/evil.example', '/%0d%0aset-cookie:x',
    'javascript:alert(1)', 'evil', '/.//evil.example', '/..//evil.example', '/a/..//evil.example', '\\\\evil.example', '/%2f%2fevil.example', '@evil.example',
  ])('end at home when they are to end at %j', async (back) => {
    const eve = stage.visitor();
    const hop = await eve.logIn(back);
    expect(hop.text).toContain('content="0;url=/"');
  }); // prettier-ignore

  it.each(['/page?a=1&b=%3Cscript%3E#x', '/%C3%A4'])('end where they began: %s', async (back) => {
    const hop = await stage.visitor().logIn(back);
    expect(hop.text).toContain(`content="0;url=${back.replaceAll('&', '&#38;')}"`);
  });

  it('of strangers with long paths leave room in the head of requests', async () => {
    const eve = await stage.guest();
    const session = eve.cookies.get(SESSION) ?? '';
    for (let page = 0; page < 6; page += 1) {
      // Sent by another site, so without the cookie that is `SameSite=Strict`.
      eve.cookies.delete(SESSION);
      await eve.open(`/login?return=/${'x'.repeat(2000)}`, { 'sec-fetch-site': 'cross-site' });
      eve.cookies.set(SESSION, session);
      expect((await eve.ask('/api/x')).status).toBe(200);
    }
    const begun = [...eve.cookies].filter(([name]) => name.startsWith(`${SESSION}-login-`));
    expect(begun.map(([, value]) => value.length > 2000)).toEqual([true]);
  });

  it('are for pages: a script is told so', async () => {
    expect((await stage.visitor().ask('/login')).json()).toMatchObject({ code: 'request-invalid' });
  });

  it('do not fit into cookies, and say so, when the provider says too much', async () => {
    stage.provider.claims = { pad: 'x'.repeat(6000) };
    const eve = stage.visitor();
    const answer = await eve.logIn();
    stage.provider.claims = { pad: 'x'.repeat(2000) };
    expect([answer.status, answer.json()['code']]).toEqual([502, 'session-too-large']);
    expect(eve.cookies.size).toBe(0);
    await eve.logIn();
    expect([...eve.cookies.keys()]).toEqual([SESSION, `${SESSION}.1`]);
    expect((await eve.ask('/api/x')).status).toBe(200);
    eve.cookies.delete(`${SESSION}.1`);
    expect((await eve.ask('/api/x')).status).toBe(401);
    stage.provider.claims = {};
  });

  it('are over when they have outgrown their cookies by a refresh', async () => {
    stage.provider.lifeS = 2;
    const eve = await stage.guest();
    stage.provider.lifeS = 600;
    stage.provider.claims = { pad: 'x'.repeat(6000) };
    await sleep(1100);
    const answer = await eve.ask('/api/x');
    stage.provider.claims = {};
    expect([answer.status, answer.json()['code']]).toEqual([401, 'credentials-expired']);
    expect(eve.cookies.size).toBe(0);
  });

  it('end when the provider refuses to refresh them, which is written once, with whose session it was', async () => {
    stage.provider.lifeS = 1;
    const eve = await stage.guest();
    stage.provider.lifeS = 600;
    stage.provider.fault = ({ url }, response) => {
      if (url !== '/token') return false;
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":"invalid_grant"}');
      return true;
    };
    await sleep(600);
    const cookie = cookieOf(eve);
    const answers = await Promise.all([1, 2, 3].map(() => ask({ ...ASKS, cookie })));
    stage.provider.fault = undefined;
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(await audit.where(({ action }) => action === 'refresh')).toEqual([
      expect.objectContaining({
        kind: 'denial',
        outcome: 'denied',
        actor: { type: 'principal', scheme: 'session', id: expect.stringMatching(/:bob$/) },
        target: expect.stringMatching(/^jti session:/),
        details: { message: 'the provider refused the refresh token: invalid_grant' },
      }),
    ]);
  });

  it('wait while the provider is down, and those who are in stay', async () => {
    const eve = stage.visitor();
    const callback = await eve.untilCallback();
    stage.provider.fault = (_request, response) => {
      response.destroy();
      return true;
    };
    const answer = await eve.open(callback);
    expect([answer.status, answer.json()['code']]).toEqual([503, 'identity-unavailable']);
    expect((await bob.ask('/api/x')).status).toBe(200);
    stage.provider.fault = undefined;
  });
});

describe('logout tokens', () => {
  const EVENTS = { 'http://schemas.openid.net/event/backchannel-logout': {} };
  const now = (): number => Math.floor(Date.now() / 1000);
  const claims = (): JWTPayload => ({
    iss: stage.provider.issuer,
    aud: CLIENT.id,
    iat: now(),
    exp: now() + 120,
    jti: randomUUID(),
    sid: 'somebody',
    events: EVENTS,
  });
  const signed = (payload: JWTPayload, header = {}, key = stage.provider.key): Promise<string> =>
    new SignJWT(payload)
      .setProtectedHeader({ alg: 'ES256', kid: 'k', typ: 'logout+jwt', ...header })
      .sign(key);
  const send = (body: string, type = 'application/x-www-form-urlencoded'): Promise<Answer> =>
    call(`${stage.at()}/logout/backchannel`, { method: 'POST', headers: { 'content-type': type }, body });
  const sendToken = async (token: string): Promise<Answer> =>
    send(new URLSearchParams({ logout_token: token }).toString());
  const actor = { type: 'anonymous' };

  async function expectRefused({ status, headers }: Answer): Promise<void> {
    expect(status).toBe(400);
    const isIt = ({ requestId }: WrittenEvent): boolean => requestId === headers['x-request-id'];
    expect(await audit.where(isIt)).toEqual([
      expect.objectContaining({ kind: 'revocation', action: 'logout', outcome: 'refused', actor }),
    ]);
  }

  it.each<[string, object, object?]>([
    ['another issuer', { iss: 'https://evil.example' }],
    ['another audience', { aud: 'somebody-else' }],
    ['no audience', { aud: undefined }],
    ['a time to come', { iat: now() + 3600 }],
    ['no time', { iat: undefined }],
    ['an end that has passed', { exp: now() - 120 }],
    ['no end', { exp: undefined }],
    ['no id', { jti: undefined }],
    ['nobody named', { sid: undefined }],
    ['a session that is no text', { sid: 7 }],
    ['a nonce, as an ID token has one', { nonce: 'x' }],
    ['no event', { events: undefined }],
    ['another event', { events: { other: {} } }],
    ['an event that is no object', { events: { [Object.keys(EVENTS)[0] as string]: true } }],
    ['another type', {}, { typ: 'at+jwt' }],
    ['an unknown key', {}, { kid: 'other' }],
  ])('are refused with %s', async (_what, edits, header = {}) => {
    const answer = await sendToken(await signed({ ...claims(), ...edits }, header));
    expect([answer.status, answer.json()['code']]).toEqual([400, 'request-invalid']);
    expect(answer.headers['cache-control']).toBe('no-store');
  });

  it('are refused unsigned, signed by others, twice, in other forms, and as ID tokens', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const good = await signed(claims());
    const [, body = ''] = good.split('.');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`;
    for (const token of [await signed(claims(), {}, privateKey), none, 'x', '', `${good}x`])
      await expectRefused(await sendToken(token));
    expect((await send(JSON.stringify({ logout_token: good }), 'application/json')).status).toBe(400);
    expect((await send(`logout_token=${good}&logout_token=${good}`)).status).toBe(400);
    expect((await send(`logout_token=${'x'.repeat(40_000)}`)).status).toBe(413);
    expect((await sendToken(good)).status).toBe(200);
    await expectRefused(await sendToken(good));
  });

  it('end the sessions of a subject, and no other ones', async () => {
    stage.provider.user = 'dora';
    const dora = await stage.guest();
    stage.provider.user = 'bob';
    expect((await dora.ask('/api/x')).status).toBe(200);
    expect((await sendToken(await signed({ ...claims(), sid: undefined, sub: 'dora' }))).status).toBe(200);
    expect((await dora.ask('/api/x')).json()).toMatchObject({ status: 401, code: 'credentials-revoked' });
    expect((await bob.ask('/api/x')).status).toBe(200);
    const ended = await audit.where(({ action, target }) => action === 'logout' && target === 'sub dora');
    expect(ended).toEqual([
      expect.objectContaining({ kind: 'revocation', actor: { type: 'issuer', id: stage.provider.issuer } }),
    ]);
  });

  it('that are taken leave an event without the id of the session, as log-outs do', async () => {
    expect((await sendToken(await signed({ ...claims(), sid: 'of-somebody-else' }))).status).toBe(200);
    const eve = await stage.guest();
    expect((await eve.ask('/logout', { method: 'POST' })).status).toBe(200);
    const isOfEve = ({ kind, actor }: WrittenEvent): boolean =>
      kind === 'revocation' && actor.scheme === 'session' && actor.id?.endsWith(':bob') === true;
    expect((await audit.where(isOfEve)).at(-1)?.target).toMatch(/^jti session:[\w-]{22}$/);
    expect(JSON.stringify(audit.events())).not.toContain('of-somebody-else');
  });
});
