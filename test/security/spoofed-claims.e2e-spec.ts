import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { call } from '../support/client.ts';
import { get, useAggregation } from '../support/aggregation.ts';
import { useServedKinds } from '../support/kinds-gateway.ts';
import { useShop } from '../support/shop.ts';
import { open } from '../support/socket-client.ts';
import { startUpstream, type Echo, type TestUpstream } from '../support/upstream.ts';

const OPEN = { authentication: 'public' };
const EDITED = { ...OPEN, transform: { request: { setHeaders: { 'X-Internal-Request': 'true' }, removeHeaders: ['X-Debug'] } } }; // prettier-ignore
let feed: TestUpstream;
beforeAll(async () => {
  feed = await startUpstream();
});
afterAll(() => feed.stop());
const holder = useShop({
  upstreams: () => ({
    feed: { targets: [feed.url] },
    legacy: { targets: [feed.url], passHeaders: ['X-HTTP-Method-Override', 'remote_user'] },
  }),
  routes: [
    { id: 'open', match: { path: '/open/*' }, upstream: 'echo', policies: OPEN },
    { id: 'edited', match: { path: '/edited/*' }, upstream: 'echo', policies: EDITED },
    { id: 'legacy', match: { path: '/legacy/*' }, upstream: 'legacy', policies: OPEN },
  ],
});
const kinds = useServedKinds();
const behind = useAggregation();

// What the gateway says itself, and what the field has for the word of a proxy, a web server or a sign-on in front.
const OWN = ['X-Request-Id', 'X-Request-Deadline-Ms', 'X-API-Key', 'traceparent', 'tracestate'];
const FRAMING = ['Transfer-Encoding', 'Content-Length', 'Authorization', 'Cookie'];
const CLAIMS = [
  'X-Original-URL', 'X-Original-URI', 'X-Original-Host', 'X-Rewrite-URL', 'X-HTTP-Method-Override', 'X-HTTP-Method',
  'X-Method-Override', 'X-Host', 'X-HTTP-Host-Override', 'Remote-User', 'Remote-Groups', 'Auth-User', 'X-Remote-User', 'X-Remote-Addr',
  'X-Auth-User', 'X-Authenticated-User', 'X-Authenticated-Userid', 'X-Auth-Request-Email', 'X-WEBAUTH-USER', 'X-Consumer-Username',
  'X-Goog-Authenticated-User-Email', 'X-Goog-IAP-JWT-Assertion', 'X-Amzn-Oidc-Identity', 'X-MS-CLIENT-PRINCIPAL-NAME',
  'Cf-Access-Authenticated-User-Email', 'Tailscale-User-Login', 'SSL_CLIENT_S_DN', 'SSL-Client-Verify', 'X-SSL-Client-Cert', 'X-SSL-CERT',
  'Client-Cert', 'Client-Cert-Chain', 'X-Forwarded-Client-Cert', 'X-ARR-ClientCert', 'X-Amzn-Mtls-Clientcert', 'True-Client-IP',
  'Client-IP', 'CF-Connecting-IP', 'X-Cluster-Client-IP', 'X-Originating-IP', 'X-Envoy-External-Address', 'X-Scheme', 'Front-End-Https',
  'Proxy', 'X-Middleware-Subrequest', 'X-Accel-Mapping', 'X-Sendfile-Type', 'X-Authentik-Username', 'X-Vouch-User', 'X-Pomerium-Claim-Email',
  'X-Token-Subject', 'X-Token-User-Email', 'X-JWT-Payload', 'X-JWT-Claim-Sub', 'X-Apigateway-Api-Userinfo', 'X-Endpoint-API-UserInfo',
  'X-Anonymous-Consumer', 'X-Amzn-Request-Context',
] as const; // prettier-ignore

const ALIASES: readonly ((name: string) => string)[] = [
  (name) => name.replaceAll(/[-_]/g, '_'),
  (name) => name.replaceAll(/[-_]/g, '.'),
  (name) => name.replace(/[-_]/, '_').toLowerCase(),
  (name) => name.replaceAll(/[-_]/g, ''),
  (name) => `${name.toUpperCase()}_`,
];
const SPELLINGS = [(name: string) => name, (name: string) => name.toLowerCase(), ...ALIASES];

const spelled = (names: readonly string[], spellings: typeof ALIASES = SPELLINGS) => [
  ...new Set(names.flatMap((name) => spellings.map((spell) => spell(name)))),
];
const names = [
  ...spelled(CLAIMS),
  ...spelled(OWN, ALIASES),
  ...spelled(FRAMING, ALIASES).filter((name) => !FRAMING.some((one) => one.toLowerCase() === name.toLowerCase())),
].filter((name) => !/^(traceparent|tracestate)$/i.test(name)); // prettier-ignore
const forged = Object.fromEntries(names.map((name) => [name, 'forged']));

describe('what only a gateway may say', () => {
  it.each(names)('does not reach a proxied service as %s', async (name) => {
    const { rawHeaders } = (
      await holder.shop.call('/open/x', { headers: { [name]: 'forged' } })
    ).json<Echo>();
    expect(rawHeaders.join()).not.toContain('forged');
  });

  it.each(['/open/x', '/edited/x'])('does not all at once either: %s', async (path) => {
    const { rawHeaders } = (await holder.shop.call(path, { headers: forged })).json<Echo>();
    expect(rawHeaders.join()).not.toContain('forged');
  });

  it('reaches no service of a translated call', async () => {
    await call(`${kinds.kinds.url}/test/items/a`, { headers: forged });
    const sent = kinds.kinds.server.lastMetadata?.getMap() ?? {};
    expect(Object.keys(sent).sort()).toEqual(['traceparent', 'user-agent', 'x-request-id']);
    expect(JSON.stringify(sent)).not.toContain('forged');
  });

  it('reaches no service of a translated call by a handshake', async () => {
    const { socket, messages } = await open('/test/chat/hi', { url: kinds.kinds.url, headers: forged });
    socket.send('{"number":1}');
    socket.send('');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(messages).toHaveLength(1);
    expect(JSON.stringify(kinds.kinds.server.lastMetadata?.getMap())).not.toContain('forged');
  });

  it('reaches no service of an aggregate', async () => {
    expect((await get(behind, '/plain/1', forged)).status).toBe(200);
    for (const { rawHeaders } of [...behind.users.requests, ...behind.feed.requests]) {
      expect(rawHeaders.join()).not.toContain('forged');
    }
  });

  it('reaches no service of a call, of either protocol', async () => {
    await holder.shop.call('/api/homepage', { as: 'user', headers: forged });
    await holder.shop.call('/api/v1/orders', { as: 'user', headers: forged });
    expect(feed.requests).not.toHaveLength(0);
    for (const { rawHeaders } of feed.requests) expect(rawHeaders.join()).not.toContain('forged');
    const { lastCall } = holder.shop.services.orders;
    expect(lastCall?.metadata.get('x-user-id')).toEqual(['2']);
    expect(JSON.stringify(lastCall?.metadata.getMap())).not.toContain('forged');
  });
});

describe('what a route sets or removes', () => {
  it.each(spelled(['X-Internal-Request', 'X-Debug']))('is not said by a client as %s', async (name) => {
    const { rawHeaders } = (
      await holder.shop.call('/edited/x', { headers: { [name]: 'forged' } })
    ).json<Echo>();
    expect(rawHeaders.join()).not.toContain('forged');
    expect(rawHeaders.join()).toContain('x-internal-request,true');
  });
});

describe('an upstream with `passHeaders`', () => {
  it.each([['X-HTTP-Method-Override', true], ['x-http-method-override', true], ['remote_user', true], ['Remote_User', true],
    ['X_HTTP_Method_Override', false], ['remote-user', false], ['X-HTTP-Method', false], ['X-User-Id', false], ['x_request_id', false],
  ])('gets %s: %s', async (name, passes) => {
    const { rawHeaders } = (await holder.shop.call('/legacy/x', { headers: { [name]: 'said' } })).json<Echo>();
    expect(rawHeaders.join().includes('said')).toBe(passes);
  }); // prettier-ignore
});
