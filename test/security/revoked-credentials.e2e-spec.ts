import { beforeAll, describe, expect, it } from '@jest/globals';
import { call, type Answer } from '../support/client.ts';
import { open, refused } from '../support/socket-client.ts';
import { useShop } from '../support/shop.ts';

const COOKIE = '__Host-token';
const holder = useShop({
  identity: {
    revocation: { longest: '1h', max: 3000 },
    tokens: { cookie: { name: COOKIE, origins: ['https://app.example.com'] } },
  },
  routes: [
    { id: 'echo', match: { path: '/api/*' }, upstream: 'echo' },
    { id: 'public', match: { path: '/open' }, upstream: 'echo', policies: { authentication: 'public' } },
  ],
});

const token = (claims: object, header = {}) =>
  holder.shop.services.identity.token('user', { ...claims }, header);
const ask = (headers: Record<string, string>): Promise<Answer> => holder.shop.call('/api/x', { headers });
const bearer = (text: string) => ({ authorization: `Bearer ${text}` });

function order(
  body: unknown,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return call(`${holder.shop.gateway.adminUrl}/revocations`, { method: 'POST', headers, body: text });
}

function expectRevoked(answer: Answer): void {
  expect([answer.status, answer.json()['code']]).toEqual([401, 'credentials-revoked']);
}

const now = () => Math.floor(Date.now() / 1000);

describe('who is revoked gets in by no other way', () => {
  beforeAll(async () => {
    // The tokens of the rows are made later.
    const issuedBefore = now() + 50;
    const subjects = ['stolen', '7', 'app'].map((sub) => ({ sub, issuedBefore }));
    for (const body of [{ jti: 'stolen' }, { sid: 'stolen' }, ...subjects])
      expect((await order(body)).status).toBe(200);
  });

  it.each([
    ['the token', {}, { jti: 'stolen' }],
    ['the same id signed by another key', { alg: 'ES256' }, { jti: 'stolen' }],
    ['the same id of another subject', {}, { jti: 'stolen', sub: 'bob' }],
    ['a new token of the session', {}, { jti: 'new', sid: 'stolen', sub: 'bob' }],
    ['an old token of the subject, without ids', {}, { jti: undefined, sub: 'stolen' }],
    ['a token of the subject without a time', {}, { sub: 'stolen', iat: undefined }],
    ['a token of the subject whose time is no number', {}, { sub: 'stolen', iat: '4000000000' }],
    ['the subject as a number', {}, { sub: 7 }],
    ['a token without a subject, of the client', {}, { sub: undefined, azp: 'app' }],
    ['the same, where the client is called otherwise', {}, { sub: undefined, client_id: 'app' }],
  ])('not by %s', async (_what, header, claims) => {
    const text = await token(claims, header);
    const answers = await Promise.all([ask(bearer(text)), ask({ cookie: `${COOKIE}=${text}` })]);
    for (const answer of [...answers, await ask(bearer(text))]) expect(answer.status).toBe(401);
    const opening = { url: holder.shop.gateway.url, protocols: ['graphql-transport-ws', `bearer.${text}`] };
    expect((await refused('/graphql', opening)).status).toBe(401);
    const client = await open('/graphql', { ...opening, protocols: ['graphql-transport-ws'] });
    client.socket.send(JSON.stringify({ type: 'connection_init', payload: bearer(text) }));
    expect((await client.closed).code).toBe(4401);
  });

  it.each([
    ['of the same name in another place', { jti: 'x', sid: 'y', sub: 'mallory' }],
    ['whose session is called as a revoked subject', { sid: '7' }],
    ['whose id is called as a revoked client', { jti: 'app' }],
    ['whose name is a part of a revoked one', { sub: 'stole' }],
  ])('and others are let in: one %s', async (_what, claims) => {
    expect((await ask(bearer(await token(claims)))).status).toBe(200);
  });

  it('and its id is told apart from text that looks like it', async () => {
    for (const jti of ['Stolen', ' stolen', 'stolen\n', 'stolen\u0000', 'st\u043elen'])
      expect((await ask(bearer(await token({ jti })))).status).toBe(200);
  });
});

describe('a token that outlives what is remembered', () => {
  it.each([
    ['longer than revocations are kept', () => ({ iat: now(), exp: now() + 3700 }), 401],
    ['as long', () => ({ iat: now(), exp: now() + 3600 }), 200],
    ['long, though it is nearly over', () => ({ iat: now() - 7000, exp: now() + 60 }), 401],
    ['nobody knows since when, for long', () => ({ iat: undefined, exp: now() + 7200 }), 401],
  ])('is let in or not: it lives %s', async (_what, claims, status) => {
    expect((await ask(bearer(await token(claims())))).status).toBe(status);
  });
});

describe('whoever is not an operator', () => {
  it.each([
    [
      'a page in the browser of one',
      { 'content-type': 'application/json', origin: 'https://evil.example' },
      403,
    ],
    [
      'a page of the listener itself',
      { 'content-type': 'application/json', origin: 'http://127.0.0.1' },
      403,
    ],
    ['a form of a page', { 'content-type': 'application/x-www-form-urlencoded', origin: 'null' }, 403],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['a text', { 'content-type': 'text/plain' }, 415],
    ['no type at all', {}, 403],
    ['no type at all, of no page', { 'x-gatehouse-admin': 'x' }, 415],
  ])('revokes nothing: %s', async (_who, headers: Record<string, string>, status) => {
    expect((await order('{"sub":"2"}', headers)).status).toBe(status);
    expect((await ask(bearer(await token({})))).status).toBe(200);
  });

  it('finds nothing of it at the port of clients', async () => {
    const headers = { 'content-type': 'application/json' };
    const answer = await holder.shop.call('/revocations', { method: 'POST', headers, body: '{"sub":"2"}' });
    expect(answer.status).toBe(404);
  });
});

describe('a flood of revocations', () => {
  it.each([
    ['no object', '[', 400],
    ['an empty list', [], 400],
    ['too long a list', Array.from({ length: 1001 }, (_, i) => ({ jti: `x${i}` })), 400],
    ['a list with a fault in it, of which nothing holds', [{ jti: 'half' }, { jti: '' }], 400],
    ['a body that is too long', JSON.stringify({ jti: 'x'.repeat(2 ** 21) }), 413],
  ])('is refused: %s', async (_what, body, status) => {
    expect((await order(body)).status).toBe(status);
    expect((await ask(bearer(await token({ jti: 'half' })))).status).toBe(200);
  });

  it('stops where there is no room, is told so, and forgets nobody for it', async () => {
    let status = 200;
    let sent = 0;
    for (; status === 200 && sent < 10; sent += 1)
      status = (await order(Array.from({ length: 500 }, (_, i) => ({ jti: `flood-${sent}-${i}` })))).status;
    expect([status, sent]).toEqual([507, 6]);
    expectRevoked(await ask(bearer(await token({ jti: 'stolen' }))));
    expectRevoked(await ask(bearer(await token({ jti: 'flood-0-0' }))));
    expect((await ask(bearer(await token({})))).status).toBe(200);
    const { bytes, count } = (await call(`${holder.shop.gateway.adminUrl}/revocations`)).json();
    expect(count).toBeLessThanOrEqual(3000);
    expect(bytes).toBeLessThanOrEqual(2 * 4096 * 16);
  });
});
