import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { OutgoingHttpHeaders } from 'node:http';
import { signWithSecret } from '../support/key-server.ts';
import { useShop, type RouteInput } from '../support/shop.ts';
import { echo, type Echo } from '../support/upstream.ts';

const ONE = 'https://one.test/';
const TWO = 'https://two.test/';
const QUALIFIED = 'https://three.test/';
const SECRET = 'a-secret-of-more-than-32-characters';
const VARIABLE = 'SECRET_OF_ONE_SUBJECT_TWO_ISSUERS';

const issuer = (name: string, more: object = {}) => ({
  issuer: name,
  secretEnv: VARIABLE,
  audiences: ['api'],
  ...more,
});
const route = (id: string, policies: object = {}): RouteInput => ({
  id,
  match: { path: `/${id}/*` },
  upstream: 'echo',
  policies,
});
const stripped = { request: { removeHeaders: ['authorization'] } };

beforeAll(() => {
  process.env[VARIABLE] = SECRET;
});
afterAll(() => {
  delete process.env[VARIABLE];
});

const holder = useShop({
  routes: [
    route('told'),
    route('limited', { rateLimit: { key: 'principal', rate: 1, per: '1h' } }),
    route('kept', { cache: { ttl: '1h' }, transform: stripped }),
    {
      id: 'composed',
      match: { path: '/composed' },
      aggregate: { calls: { me: { upstream: 'echo', path: '/users/{principal.id}', required: true } } },
    },
  ],
  more: { identity: { issuers: [issuer(ONE), issuer(TWO), issuer(QUALIFIED, { idPrefix: 'three:' })] } },
});

let served = 0;
beforeEach(() => {
  holder.shop.echo.listener = (request, response) => {
    response.setHeader('x-served', String((served += 1)));
    response.setHeader('content-type', 'application/json');
    echo(request, response);
  };
});

async function of(name: string, claims: object = {}): Promise<OutgoingHttpHeaders> {
  return {
    authorization: `Bearer ${await signWithSecret(SECRET, name, { claims: { sub: '2', ...claims } })}`,
  };
}
const APPLICATION = { sub: undefined, client_id: '2' };
const callers = () =>
  Promise.all([of(ONE), of(TWO), of(QUALIFIED), of(ONE, APPLICATION), of(TWO, APPLICATION)]);

describe('one sub of two issuers, and an application of that name, are told apart', () => {
  it('by limits', async () => {
    for (const headers of await callers()) {
      expect((await holder.shop.call('/limited/x', { headers })).status).toBe(200);
      expect((await holder.shop.call('/limited/x', { headers })).status).toBe(429);
    }
  });

  it('by stored answers, also where services see no token', async () => {
    const answers = [];
    for (const headers of await callers()) answers.push(await holder.shop.call('/kept/x', { headers }));
    expect(new Set(answers.map(({ headers }) => headers['x-served'])).size).toBe(answers.length);
    for (const [index, headers] of (await callers()).entries()) {
      const again = await holder.shop.call('/kept/x', { headers });
      expect(again.headers).toMatchObject({
        'x-cache': 'HIT',
        'x-served': answers[index]?.headers['x-served'],
      });
    }
  });

  it('by the streams that they reserve', async () => {
    const reserve = async (headers: OutgoingHttpHeaders) =>
      (await holder.shop.call('/graphql', { method: 'PUT', headers })).text;
    const owners = [];
    for (const headers of await callers()) owners.push((await reserve(headers)).split('.')[0]);
    expect(new Set(owners).size).toBe(owners.length);
    const token = await reserve(await of(ONE));
    const ask = async (name: string) =>
      holder.shop.call('/graphql?operationId=1', {
        method: 'DELETE',
        headers: { ...(await of(name)), 'x-graphql-event-stream-token': token },
      });
    expect((await ask(TWO)).status).toBe(403);
    expect((await ask(ONE)).status).not.toBe(403);
  });

  it('by services where issuers have prefixes', async () => {
    const seen = async (headers: OutgoingHttpHeaders) =>
      (await holder.shop.call('/told/x', { headers })).json<Echo>().headers;
    expect(await seen(await of(ONE, { azp: 'web' }))).toMatchObject({
      'x-user-id': '2',
      'x-client-id': 'web',
    });
    expect(await seen(await of(QUALIFIED, { azp: 'web' }))).toMatchObject({
      'x-user-id': 'three:2',
      'x-client-id': 'three:web',
    });
  });
});

describe('a token without a subject', () => {
  it('is an application for services, and no user', async () => {
    const headers = await of(ONE, APPLICATION);
    const seen = (await holder.shop.call('/told/x', { headers })).json<Echo>().headers;
    expect(seen).toMatchObject({ 'x-client-id': '2' });
    expect(seen).not.toHaveProperty('x-user-id');
  });

  it('has no id that an aggregated route could take for that of a user', async () => {
    const user = await holder.shop.call('/composed', { headers: await of(ONE) });
    expect(user.json()).toMatchObject({ me: { url: '/users/2' } });
    const refused = await holder.shop.call('/composed', { headers: await of(ONE, APPLICATION) });
    expect(refused.status).toBe(403);
  });

  it('has no homepage, in REST and GraphQL', async () => {
    const headers = { ...(await of(ONE, APPLICATION)), 'content-type': 'application/json' };
    expect((await holder.shop.call('/api/homepage', { headers })).status).toBe(403);
    const body = JSON.stringify({ query: '{ homepage { user { name } } }' });
    const answer = await holder.shop.call('/graphql', { method: 'POST', headers, body });
    expect(answer.text).toContain('permission-denied');
    expect(answer.json()['data']).toMatchObject({ homepage: null });
  });
});

it('warns at the start of issuers whose ids services cannot tell apart', async () => {
  const [line] = await holder.shop.gateway.linesWhere(({ msg }) => msg.includes('idPrefix'));
  expect(line?.msg).toContain(`${ONE} and ${TWO}`);
});
