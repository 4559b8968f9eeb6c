import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as requestHttp, type IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { Agent, request as requestHttps } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type ConnectionOptions } from 'node:tls';
import { WebSocket } from 'ws';
import { presented } from '../../src/policies/authentication/client-certificates/presented-certificate.ts';
import { AuditFolder, type WrittenEvent } from '../support/audit.ts';
import { certificate, type Certificate, type CertificateOptions } from '../support/certificates.ts';
import { call } from '../support/client.ts';
import { API_KEY, useShop } from '../support/shop.ts';
import type { Echo } from '../support/upstream.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-certificates-'));
afterAll(() => rmSync(folder, { recursive: true }));

const ca = certificate({ name: 'authority', isAuthority: true });
const ORDERS = ['uri', 'spiffe://shop.test/orders'] as const;
const issued = (alternative: CertificateOptions['alternative'] = [ORDERS], more = {}): Certificate =>
  certificate({ name: 'orders', by: ca, alternative, ...more });
const orders = issued();
const billing = issued([['uri', 'spiffe://shop.test/billing']], { usage: 'client' });
const nobody = issued([['uri', 'spiffe://shop.test/nobody']]);
const expired = issued([ORDERS], { toDay: -0.5 });
const strangers = certificate({ name: 'authority', isAuthority: true });

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}
const caFile = write('ca.pem', ca.cert);
const server = certificate({ name: 'server', hosts: ['127.0.0.1', 'localhost'], by: ca });
const certificates = [{ cert: write('server.pem', server.cert), key: write('server.key', server.key) }];

/** Whom the gateway takes for its proxy; tests are from here as well, from the usual address of the loopback. */
const PROXY = '127.0.0.2';
const [PLAIN, OPTIONAL, REQUIRED, OLD] = [0, 1, 2, 3] as const;
const tls = { certificates, clientCertificates: { ca: caFile, mode: 'optional' } };
const asked = (authentication: unknown, path: string): Record<string, unknown> => ({
  id: path.slice(1), match: { path: `${path}/*` }, upstream: 'echo', policies: { authentication },
}); // prettier-ignore

const audit = new AuditFolder();
afterAll(() => audit.remove());

const holder = useShop({
  more: {
    audit: { file: audit.file, denials: { perAddress: 1000, perSecond: 1000 } },
    trustedProxies: [PROXY],
    listeners: [
      { port: 0 },
      { port: 0, tls },
      { port: 0, tls: { certificates, clientCertificates: { ca: caFile } } },
      { port: 0, http2: false, tls },
    ],
  },
  identity: {
    revocation: { longest: '1h', max: 3000 },
    clientCertificates: {
      rules: [
        { match: { uri: 'spiffe://shop.test/orders' }, id: 'orders', roles: ['user'] },
        { match: { uri: 'spiffe://shop.test/billing' }, id: 'billing' },
      ],
      forwarded: { field: 'x-forwarded-client-cert' },
    },
  },
  policies: { authentication: { schemes: ['mtls', 'jwt', 'apiKey'] } },
  routes: [
    asked({ schemes: ['mtls'] }, '/mtls'),
    asked({ schemes: ['jwt'] }, '/jwt'),
    asked({ allOf: ['apiKey', 'jwt'] }, '/key-and-jwt'),
    asked({ allOf: ['jwt', 'mtls'] }, '/both'),
    asked('public', '/open'),
  ],
});

interface Asked {
  readonly by?: Certificate | undefined;
  readonly headers?: Readonly<Record<string, string | string[]>> | undefined;
  readonly listener?: number;
  readonly from?: string | undefined;
  readonly path?: string;
  readonly tls?: ConnectionOptions & { agent?: Agent };
}

interface Told {
  readonly status: number;
  readonly code?: unknown;
  readonly challenge?: string | undefined;
  readonly seen?: Echo['headers'];
  readonly socket?: IncomingMessage['socket'];
}

const portOf = (listener: number): number =>
  Number(new URL(holder.shop.gateway.gateway.urls[listener] ?? '').port);

/** Asks once, over a connection of its own; a status of 0 is a connection that was cut. */
async function ask({ by, headers = {}, listener = OPTIONAL, from, path = '/mtls/a', tls: more }: Asked): Promise<Told> {
  const options = { port: portOf(listener), host: '127.0.0.1', path, headers, localAddress: from, agent: false as const };
  const own = { ca: ca.cert, ...(by && { cert: by.cert, key: by.key }), ...more };
  const request = listener === PLAIN ? requestHttp(options) : requestHttps({ ...options, ...own });
  request.end();
  try {
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of answer.setEncoding('utf8')) text += String(chunk);
    return toldBy(answer.statusCode ?? 0, answer.headers['www-authenticate'], text, answer.socket);
  } catch {
    return { status: 0 };
  }
} // prettier-ignore

function toldBy(status: number, challenge: string | undefined, text: string, socket?: Told['socket']): Told {
  const body = JSON.parse(text) as { code?: unknown; headers?: Echo['headers'] };
  return { status, challenge, code: body.code, ...(body.headers && { seen: body.headers }), ...(socket && { socket }) };
} // prettier-ignore

async function statusOf(asking: Asked): Promise<number> {
  return (await ask(asking)).status;
}

describe('a certificate on the connection', () => {
  it('says who calls, and the service hears it', async () => {
    const { status, seen } = await ask({ by: orders, headers: { 'x-client-id': 'admin' } });
    expect([status, seen?.['x-client-id'], seen?.['x-user-roles'], seen?.['x-user-id']]).toEqual([200, 'orders', 'user', undefined]);
  }); // prettier-ignore

  it('is asked for with a challenge, and one that is of nobody is refused with it', async () => {
    const challenge = 'ClientCertificate realm="gatehouse"';
    expect(await ask({})).toMatchObject({ status: 401, code: 'credentials-missing', challenge });
    const refused = await ask({ by: nobody });
    expect(refused).toMatchObject({ status: 401, code: 'credentials-invalid' });
    expect(refused.challenge).toBe(
      `${challenge}, error="invalid_certificate", error_description="The certificate is of nobody who is known here."`,
    );
  });

  it.each<[string, () => Certificate, number]>([
    ['is signed by itself', () => certificate({ name: 'orders', alternative: [ORDERS] }), 0],
    ['is of another authority of the same name', () => issued([ORDERS], { by: strangers }), 0],
    ['is signed by who is no authority', () => issued([ORDERS], { by: billing }), 0],
    ['has expired', () => expired, 0],
    ['is not valid yet', () => issued([ORDERS], { fromDay: 0.5 }), 0],
    ['is for servers', () => issued([ORDERS], { usage: 'server' }), 0],
    ['has the name in its subject only', () => issued([]), 401],
    ['has the name as one of DNS', () => issued([['dns', ORDERS[1]]]), 401],
    ['has the name within another one', () => issued([['dns', `a, URI:${ORDERS[1]}`]]), 401],
    ['has the same without a space', () => issued([['dns', `a,URI:${ORDERS[1]}`]]), 401],
    ['has a NUL behind the name', () => issued([['uri', `${ORDERS[1]}\0.evil`]]), 401],
    ['has the name and another identity', () => issued([ORDERS, ['uri', 'spiffe://evil']]), 401],
  ])('is no credential if it %s', async (_what, made, status) => {
    const by = made();
    expect([await statusOf({ by }), await statusOf({ by, listener: REQUIRED })]).toEqual([status, status]);
  });

  it('leaves an event for whoever was not let in', async () => {
    const refused = (): Promise<readonly WrittenEvent[]> => audit.where(({ action }) => action === 'connect');
    const before = (await refused()).length;
    expect(await statusOf({ by: expired })).toBe(0);
    expect(await statusOf({ listener: REQUIRED })).toBe(0);
    const told = (await refused()).slice(before);
    expect(told.map(({ policy, reason, source }) => [policy, reason, source?.address])).toEqual([
      ['clientCertificates', 'CERT_HAS_EXPIRED', '127.0.0.1'],
      ['clientCertificates', 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE', '127.0.0.1'],
    ]);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('is still there when a session of %s goes on', async (maxVersion) => {
    const agent = new Agent({ maxCachedSessions: 0 });
    const first = connect({ port: portOf(REQUIRED), host: '127.0.0.1', ca: ca.cert, cert: orders.cert, key: orders.key, maxVersion });
    const sessions: Buffer[] = [];
    first.on('session', (session: Buffer) => sessions.push(session));
    first.write('GET /mtls/a HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    first.resume();
    await once(first, 'close');
    const session = sessions.at(-1) as Buffer;
    // The client that goes on has no key any more: all that there is of the certificate is what the session has.
    const told = await ask({ listener: REQUIRED, tls: { session, maxVersion } });
    expect([told.status, told.seen?.['x-client-id']]).toEqual([200, 'orders']);
    agent.destroy();
  }); // prettier-ignore

  it('holds over HTTP/2 and for WebSockets, and without it there are none', async () => {
    const answers: number[] = [];
    for (const by of [orders, undefined]) {
      const own = by && { cert: by.cert, key: by.key };
      const session = connectHttp2(`https://127.0.0.1:${portOf(OPTIONAL)}`, { ca: ca.cert, ...own });
      const stream = session.request({ ':path': '/mtls/a' });
      const [fields] = (await once(stream, 'response')) as [Record<string, unknown>];
      session.destroy();
      const socket = new WebSocket(`wss://127.0.0.1:${portOf(OLD)}/graphql`, 'graphql-transport-ws', { ca: ca.cert, ...own } as never);
      const opened = await new Promise<number>((resolve) => {
        socket.on('open', () => socket.send('{"type":"connection_init"}')).on('error', () => {});
        socket.on('message', () => resolve(200)).on('close', (code) => resolve(code));
      });
      socket.terminate();
      answers.push(Number(fields[':status']), opened);
    }
    expect(answers).toEqual([200, 200, 401, 4401]);
  }); // prettier-ignore

  it('holds for GraphQL over HTTP', async () => {
    const path = '/graphql?query=%7B__typename%7D';
    expect([await statusOf({ path, by: orders }), await statusOf({ path })]).toEqual([200, 401]);
  });
});

const field = (value: string | string[]): Asked['headers'] => ({ 'x-forwarded-client-cert': value });
const URI = `URI=${ORDERS[1]}`;
const pem = (one: Certificate): string => `Cert="${encodeURIComponent(one.cert)}"`;

describe('a field with a certificate', () => {
  it('is believed of a trusted proxy', async () => {
    const told = await ask({ listener: PLAIN, from: PROXY, headers: field(pem(orders)) });
    expect([told.status, told.seen?.['x-client-id']]).toEqual([200, 'orders']);
  });

  it.each<[string, Asked, string]>([
    ['from anybody', { listener: PLAIN, headers: field(URI) }, 'credentials-missing'],
    ['from anybody over TLS', { headers: field(pem(orders)) }, 'credentials-missing'],
    ['from anybody who says to be the proxy', { headers: { ...field(URI), 'x-forwarded-for': PROXY } }, 'credentials-missing'],
    ['from somebody with another certificate', { by: nobody, headers: field(URI) }, 'credentials-invalid'],
    ['twice', { from: PROXY, headers: field([URI, URI]) }, 'credentials-invalid'],
    ['with that of the client first', { from: PROXY, headers: field(`${URI},URI=spiffe://shop.test/nobody`) }, 'credentials-invalid'],
    ['that is cut', { from: PROXY, headers: field(`Subject="CN=a;${URI}`) }, 'credentials-invalid'],
    ['with another hash', { from: PROXY, headers: field(`Hash=${'0'.repeat(64)};${pem(orders)}`) }, 'credentials-invalid'],
    ['that has expired', { from: PROXY, headers: field(pem(expired)) }, 'credentials-expired'],
    ['in another spelling', { from: PROXY, headers: { x_forwarded_client_cert: URI } }, 'credentials-missing'],
    ['in another field', { from: PROXY, headers: { 'client-cert': `:${new X509Certificate(orders.cert).raw.toString('base64')}:` } }, 'credentials-missing'],
    ['that is not there, though the proxy has one of its own', { from: PROXY, by: orders }, 'credentials-missing'],
    ['that is empty, though the proxy has one of its own', { from: PROXY, by: orders, headers: field('') }, 'credentials-missing'],
  ])('is none %s', async (_what, asking, code) => {
    expect(await ask(asking)).toMatchObject({ status: 401, code });
  }); // prettier-ignore

  it.each([undefined, PROXY])('reaches no service, from %s', async (from) => {
    const headers = { ...field(URI), x_forwarded_client_cert: URI, 'Client-Cert': ':AAAA:', client_cert: ':AAAA:', 'client-cert-chain': ':AAAA:' };
    const { status, seen = {} } = await ask({ path: '/open/a', from, headers });
    expect([status, Object.keys(seen).filter((name) => /cert/i.test(name))]).toEqual([200, []]);
  }); // prettier-ignore
});

describe('a token that is bound to a certificate', () => {
  const x5t = presented(new X509Certificate(orders.cert)).x5t;
  const bound = (cnf: unknown): Promise<string> => holder.shop.services.identity.token('user', { cnf });
  let token: Record<string, string>;
  beforeAll(async () => {
    token = { authorization: `Bearer ${await bound({ 'x5t#S256': x5t })}` };
  });

  it('is taken with it, from the connection and from a trusted proxy, and by nobody else afterwards', async () => {
    const hash = presented(new X509Certificate(orders.cert)).fingerprint ?? '';
    const path = '/jwt/a';
    const rows: [Asked, number][] = [
      [{ by: orders }, 200],
      [{ by: billing }, 401],
      [{ by: nobody }, 401],
      [{}, 401],
      [{ listener: PLAIN }, 401],
      [{ from: PROXY, headers: field(`Hash=${hash}`) }, 200],
      [{ from: PROXY, headers: field(URI) }, 401],
      [{ from: PROXY, by: orders }, 401],
      [{ headers: field(`Hash=${hash}`) }, 401],
      [{ by: orders, path: '/both/a' }, 200],
      [{ by: billing, path: '/both/a' }, 401],
      [{ by: orders, path: '/api/homepage' }, 200],
      [{ by: billing, path: '/api/homepage' }, 401],
      [{ path: '/graphql?query=%7B__typename%7D' }, 401],
      [{ by: billing, path: '/key-and-jwt/a', headers: { 'x-api-key': API_KEY } }, 401],
      [{ by: orders, path: '/key-and-jwt/a', headers: { 'x-api-key': API_KEY } }, 200],
    ];
    for (const [asking, status] of rows) {
      const told = await ask({ path, ...asking, headers: { ...token, ...asking.headers } });
      expect([asking.path, Object.keys(asking.headers ?? {}), told.status]).toEqual([asking.path, Object.keys(asking.headers ?? {}), status]);
      if (status === 401) expect(told).toMatchObject({ code: 'credentials-invalid', challenge: expect.stringContaining('Bearer realm=') });
    }
  }); // prettier-ignore

  it.each<[string, unknown]>([
    ['another certificate', { 'x5t#S256': 'A'.repeat(43) }],
    ['its certificate in hex', { 'x5t#S256': presented(new X509Certificate(orders.cert)).fingerprint }],
    ['nothing', {}],
    ['an empty text', { 'x5t#S256': '' }],
    ['a number', { 'x5t#S256': 1 }],
    ['a list', { 'x5t#S256': [x5t] }],
    ['no object', x5t],
    ['null', null],
    ['its certificate and a key', { 'x5t#S256': x5t, jkt: 'A'.repeat(43) }],
    ['something that is not known', { kid: 'a' }],
  ])('is refused if it is bound to %s', async (_what, cnf) => {
    const headers = { authorization: `Bearer ${await bound(cnf)}` };
    expect(await ask({ by: orders, path: '/jwt/a', headers })).toMatchObject({ status: 401, code: 'credentials-invalid' });
  }); // prettier-ignore
});

describe('a certificate that was revoked', () => {
  it('is refused, on the connection that it came with as well', async () => {
    const by = billing;
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: ca.cert, cert: by.cert, key: by.key });
    const statuses: number[] = [];
    const once1 = async (): Promise<void> => {
      const request = requestHttps({ port: portOf(OLD), host: '127.0.0.1', path: '/mtls/a', agent });
      request.end();
      const [answer] = (await once(request, 'response')) as [IncomingMessage];
      statuses.push(answer.statusCode ?? 0);
      await once(answer.resume(), 'end');
    };
    await once1();
    const jti = presented(new X509Certificate(by.cert)).fingerprint;
    const ordered = await call(`${holder.shop.gateway.adminUrl}/revocations`, {
      method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ jti }),
    }); // prettier-ignore
    await once1();
    agent.destroy();
    expect([ordered.status, ...statuses]).toEqual([200, 200, 401]);
    expect(await ask({ by })).toMatchObject({ status: 401, code: 'credentials-revoked' });
    expect(await statusOf({ by: orders })).toBe(200);
  });
});
