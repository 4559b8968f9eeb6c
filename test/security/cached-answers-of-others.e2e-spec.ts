import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { OutgoingHttpHeaders } from 'node:http';
import { randomOf } from '../../src/calls/calls.fixture.ts';
import { API_KEY, useShop, type RouteInput, type ShopCall } from '../support/shop.ts';
import type { Answer } from '../support/client.ts';

const route = (id: string, cache: object, policies: object = {}): RouteInput => ({
  id,
  match: { path: `/${id}/*` },
  upstream: 'echo',
  policies: { cache: { ttl: '1h', ...cache }, ...policies },
});

const OPEN = { authentication: 'public' };

const holder = useShop({
  routes: [
    route('mine', { staleIfError: '1h' }),
    route('anybody', { staleIfError: '1h' }, OPEN),
    route('public', { scope: 'public', staleIfError: '1h' }, OPEN),
    route('stripped', {}, { transform: { request: { removeHeaders: ['authorization', 'x-noise'] } } }),
  ],
  more: { trustedProxies: ['loopback'] },
});

/** Everything that could tell who somebody is, by name or by custom; none of it may be missing in a key. */
const NAMES = [
  'Authorization', 'Proxy-Authorization', 'Cookie', 'Cookie2', 'X-API-Key', 'X-Api-Token', 'X-Auth-Token', 'X-Auth',
  'X-Access-Token', 'X-Id-Token', 'X-Session', 'X-Session-Id', 'X-Session-Token', 'X-CSRF-Token', 'X-XSRF-Token',
  'X-Amz-Security-Token', 'X-Goog-Api-Key', 'X-Goog-IAP-JWT-Assertion', 'X-Goog-Authenticated-User-Email',
  'X-MS-Client-Principal', 'X-Remote-User', 'Remote-User', 'X-WEBAUTH-USER', 'X-Authenticated-User', 'X-Account-Id',
  'X-Org-Id', 'X-Organization', 'X-Workspace', 'X-Customer-Id', 'X-Role', 'X-Roles', 'X-Scope', 'X-Groups', 'X-Admin',
  'X-Impersonate-User', 'X-On-Behalf-Of', 'X-Original-URL', 'X-Rewrite-URL', 'X-HTTP-Method-Override', 'X-Host',
  'X-Device-Id', 'X-Installation-Id', 'X-Ssl-Client-Cert', 'X-SSL-Client-DN', 'Client-Cert', 'Client-Cert-Chain',
  'Ssl-Client-Verify', 'Cf-Access-Jwt-Assertion', 'Cf-Connecting-Ip', 'True-Client-Ip', 'Fastly-Client-Ip', 'DPoP',
  'Signature', 'Signature-Input', 'Authentication', 'Authentication-Info', 'Token', 'Api-Key', 'Apikey', 'Key', 'Secret',
  'Password', 'Private-Token', 'Job-Token', 'Deploy-Token', 'Ocp-Apim-Subscription-Key', 'X-Parse-Session-Token',
  'X-Shopify-Access-Token', 'X-Vault-Token', 'X-Consul-Token', 'X-Figma-Token', 'X-Okta-User-Agent-Extended', 'Baggage',
  'From', 'Sec-Session-Response', 'Sec-Token-Binding', 'Idempotency-Key', 'Accept-Datetime', 'Prefer', 'X-Locale',
  'X-Country', 'X-Currency', 'X-Debug', 'X-Preview', 'X-Feature-Flags', 'X-Requested-With', 'X-Partner', 'X-Channel',
] as const; // prettier-ignore

/** What HTTP knows and upstreams answer by for everybody; with `scope: public` only `Vary` tells them apart. */
const NEGOTIATED = [
  'Accept', 'Accept-Charset', 'Accept-Encoding', 'Accept-Language', 'User-Agent', 'Origin', 'Referer', 'Content-Type',
  'Sec-Fetch-Site', 'Sec-CH-UA', 'DNT', 'Save-Data', 'Priority', 'Via', 'Upgrade-Insecure-Requests', 'Sec-GPC',
] as const; // prettier-ignore

const random = randomOf(20261126);
const letter = (): string => String.fromCharCode(97 + Math.floor(random() * 26));
const RANDOM_NAMES = Array.from({ length: 40 }, () =>
  Array.from({ length: 4 + Math.floor(random() * 20) }, letter).join(''),
);

let served = 0;
let control: string | undefined;

beforeEach(() => {
  control = undefined;
  holder.shop.echo.listener = (request, response) => {
    served += 1;
    response.writeHead(200, control === undefined ? {} : { 'cache-control': control });
    // What an upstream got is what it answers.
    response.end(`${served} ${request.method} ${request.url} ${request.rawHeaders.join('\n')}`);
  };
});

afterEach(() => {
  control = undefined;
});

const ask = (path: string, headers: OutgoingHttpHeaders, options: ShopCall = {}): Promise<Answer> =>
  holder.shop.call(path, { ...options, headers });

async function bearer(): Promise<string> {
  return `Bearer ${await holder.shop.services.identity.token('user')}`;
}

describe.each(['mine', 'anybody', 'public'])('what one caller of /%s was answered', (id) => {
  const known = id === 'mine' ? { 'x-api-key': API_KEY } : {};

  it.each([...NAMES, ...RANDOM_NAMES])('is never given to one with another %s', async (name) => {
    // The answer to a credential may be shared where both sides say so: these do not.
    control = 'max-age=3600';
    // The gateway itself knows the caller by one of them; the other is for the upstream.
    const base = name === 'X-API-Key' && id === 'mine' ? { authorization: await bearer() } : known;
    const path = `/${id}/${name}`;
    const alone = await ask(path, base);
    const ann = await ask(path, { ...base, [name]: 'of-ann' });
    const bob = await ask(path, { ...base, [name]: 'of-bob' });
    expect([alone.text, bob.text].join()).not.toContain('of-ann');
    expect(ann.text).not.toContain('of-bob');
    for (const answer of [await ask(path, base), await ask(path, { ...base, [name]: 'of-bob' })])
      if (answer.status === 200) expect(answer.text).not.toContain('of-ann');
  });

  it.each(NEGOTIATED)('is given to one with another %s only if the answer does not vary', async (name) => {
    const [one, other] = [
      { ...known, [name]: 'of-ann' },
      { ...known, [name]: 'of-bob' },
    ];
    await ask(`/${id}/n-${name}`, one);
    const second = await ask(`/${id}/n-${name}`, other);
    // Nothing by which somebody is known is among them.
    expect(second.headers['x-cache']).toBe(id === 'public' ? 'HIT' : undefined);
  });

  it.each(['X-Session', 'Origin', 'Accept-Language', 'Cookie'])(
    'is not given to one whose %s the upstream hears, when it was removed by way of Connection',
    async (name) => {
      control = 'public, max-age=3600';
      const [path, fields] = [`/${id}/listed-${name}`, { ...known, [name]: 'of-bob' }];
      const removed = await ask(path, { ...fields, connection: `close, ${name}` });
      expect(removed.text).not.toContain('of-bob');
      const bob = await ask(path, fields);
      expect(bob.text).toContain('of-bob');
      expect((await ask(path, fields)).text).toBe(bob.text);
    },
  );

  it('is what one gets who says the same again', async () => {
    const headers = { ...known, accept: 'a/b', 'x-session': '1', 'x-request-id': 'one-one-one' };
    const first = await ask(`/${id}/same`, headers);
    const again = await ask(`/${id}/same`, { ...headers, 'x-request-id': 'two-two-two' });
    expect([again.headers['x-cache'], again.text]).toEqual(['HIT', first.text]);
  });

  it('does not stand in for another either, when the upstream fails', async () => {
    control = 'max-age=0';
    await ask(`/${id}/stale`, { ...known, 'x-session': 'of-ann' });
    holder.shop.echo.listener = (_request, response) => void response.writeHead(503).end('failed');
    expect((await ask(`/${id}/stale`, { ...known, 'x-session': 'of-bob' })).status).toBe(503);
    expect((await ask(`/${id}/stale`, { ...known, 'x-session': 'of-ann' })).status).toBe(200);
  });

  it.each([
    ['the port of the host', { host: 'shop.test:1' }, { host: 'shop.test:2' }],
    ['the spelling of the host', { host: 'shop.test' }, { host: 'SHOP.test' }],
    ['the scheme', { 'x-forwarded-proto': 'http' }, { 'x-forwarded-proto': 'https' }],
  ])('is not given for another one: %s', async (what, one, other) => {
    const path = `/${id}/${what.replaceAll(' ', '-')}`;
    await ask(path, { ...known, ...one });
    expect((await ask(path, { ...known, ...other })).headers).not.toHaveProperty('x-cache');
  });

  it('is neither kept for nor taken from a request with a body', async () => {
    const path = `/${id}/body`;
    const first = await ask(path, known);
    const withBody = await ask(path, { ...known, 'content-length': 3 }, { body: 'one' });
    expect(withBody.text).not.toBe(first.text);
    expect(withBody.headers).not.toHaveProperty('x-cache');
    expect((await ask(`/${id}/body-first`, { ...known, 'content-length': 3 }, { body: 'one' })).status).toBe(
      200,
    );
    expect((await ask(`/${id}/body-first`, known)).headers).not.toHaveProperty('x-cache');
  });

  it('is not kept under a second line of a field that hides behind the first', async () => {
    const path = `/${id}/lines`;
    await ask(path, { ...known, 'x-lines': ['a', 'of-ann'] });
    expect((await ask(path, { ...known, 'x-lines': ['a', 'of-bob'] })).text).not.toContain('of-ann');
  });
});

describe('a private answer', () => {
  it('is kept for one user with one token, and for nobody else', async () => {
    control = 'private, max-age=60';
    const authorization = await bearer();
    const first = await ask('/mine/private', { authorization });
    expect((await ask('/mine/private', { authorization })).text).toBe(first.text);
    expect((await ask('/mine/private', { authorization: await bearer() })).text).not.toBe(first.text);
  });

  it.each<[string, string, OutgoingHttpHeaders]>([
    ['an application, which stands for many users', '/mine/private-app', { 'x-api-key': API_KEY }],
    ['nobody who is known', '/anybody/private', {}],
    ['a session that only the upstream knows', '/anybody/private-session', { 'x-session': '1' }],
    ['all', '/public/private', {}],
  ])('is not kept for %s', async (_, path, headers) => {
    for (control of ['private', 'max-age=60, private="set-cookie"', 'max-age=60, Private'])
      expect((await ask(path, headers)).text).not.toBe((await ask(path, headers)).text);
  });
});

it('counts nothing that the route removes before the upstream sees it', async () => {
  const first = await ask('/stripped/x', { authorization: await bearer(), 'x-noise': '1' });
  const again = await ask('/stripped/x', { authorization: await bearer(), 'x-noise': '2' });
  expect([again.headers['x-cache'], again.text]).toEqual(['HIT', first.text]);
});
