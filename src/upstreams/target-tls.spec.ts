import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createSecureServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import {
  connect,
  createServer as createTcpServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket, TlsOptions } from 'node:tls';
import type { z } from 'zod';
import { certificate, type Certificate } from '../../test/support/certificates.ts';
import type { Problem } from '../problems/problem.ts';
import { Notifications } from '../routes/services/gen/shop/v1/notifications_pb.ts';
import { Orders } from '../routes/services/gen/shop/v1/orders_pb.ts';
import type { AnswerSink } from '../exchange/answer-sink.ts';
import { errorFacts } from '../telemetry/error-facts.ts';
import { CallBed, exchangeFor } from './grpc/call.fixture.ts';
import { TlsCredentials } from './grpc/tls-credentials.ts';
import { framed } from './grpc/unary-wire.ts';
import { HttpForwarding } from './http/http-forwarder.ts';
import { TargetTls } from './transport/target-tls.ts';
import type { upstreamSchema } from './upstream.schema.ts';

type Tls = NonNullable<z.input<typeof upstreamSchema>['tls']>;

/** A way to call a target. */
interface Door {
  readonly protocol: 'http' | 'grpc';
  call(bed: CallBed): Promise<unknown>;
}

const upstream = (bed: CallBed) => bed.upstreams.get('one');
const limits = () => ({ exchange: exchangeFor(), timeoutMs: Infinity });
const DOORS: Readonly<Record<string, Door>> = {
  'a proxied request': {
    protocol: 'http',
    call: (bed) =>
      new Promise((resolve, reject) => {
        // As with `host: keep`: whom a client names is not whom the target has to prove to be.
        const outbound = { path: '/', headers: [], host: 'named-by-the-client.test', body: null };
        const sink = {
          interim: () => undefined,
          begin: () => undefined,
          whole: (head: { readonly status: number }) => resolve(head.status),
          fail: reject,
        } as unknown as AnswerSink;
        const deps = { sink, metrics: bed.metrics };
        new HttpForwarding(exchangeFor(), upstream(bed), outbound, deps).start();
      }),
  },
  'an HTTP call': {
    protocol: 'http',
    call: (bed) => bed.http.json(upstream(bed), { method: 'GET', path: '/' }, limits()),
  },
  'a unary call of gRPC': {
    protocol: 'grpc',
    call: (bed) => bed.grpc.unary(upstream(bed), Orders.method.getOrder, { id: 'a' }, limits()),
  },
  'a stream of gRPC': {
    protocol: 'grpc',
    call: (bed) => {
      const options = { exchange: exchangeFor(), idleMs: Infinity, decode: () => 'message' };
      return bed.grpc.serverStream(upstream(bed), Notifications.method.watch, {}, options).next();
    },
  },
};

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-target-tls-'));
const authority = certificate({ name: 'authority', isAuthority: true });
const stranger = certificate({ name: 'stranger', isAuthority: true });
const HOSTS = ['localhost', '127.0.0.1'];
const good = certificate({ name: 'good', hosts: HOSTS, by: authority });
const elsewhere = certificate({ name: 'elsewhere', hosts: ['other.test'], by: authority });
const expired = certificate({ name: 'expired', hosts: HOSTS, by: authority, fromDay: -2, toDay: -1 });
const early = certificate({ name: 'early', hosts: HOSTS, by: authority, fromDay: 1, toDay: 2 });
const gateway = certificate({ name: 'gateway', by: authority });
const impostor = certificate({ name: 'gateway', by: stranger });

function file(text: string, name: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const ca = file(authority.cert, 'ca.pem');
const otherCa = file(stranger.cert, 'other-ca.pem');
const bundle = file(`# all of them\n${stranger.cert}\n${authority.cert}`, 'bundle.pem');
const shown = (one: Certificate, name: string) => ({
  cert: file(one.cert, `${name}.pem`),
  key: file(one.key, `${name}.key`),
});

let server: Server;
let sockets: Set<Socket>;
let greeted: { name: string | false | undefined; client: string | undefined; isResumed: boolean }[];
let beds: CallBed[];

beforeEach(() => {
  beds = [];
  greeted = [];
  sockets = new Set();
});
afterEach(async () => {
  await Promise.all(beds.map((bed) => bed.close()));
  for (const socket of sockets) socket.destroy();
  server.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

async function listen(protocol: Door['protocol'], own: Certificate, more: TlsOptions = {}): Promise<void> {
  const options = { cert: own.cert, key: own.key, ...more };
  server =
    protocol === 'http'
      ? createHttpsServer(options, (_, response) => response.end('{}'))
      : grpcServer(options);
  server.on('secureConnection', (socket: TLSSocket) => {
    sockets.add(socket);
    const { CN } = (socket.getPeerCertificate().subject ?? {}) as { CN?: string };
    greeted.push({ name: socket.servername ?? false, client: CN, isResumed: socket.isSessionReused() });
  });
  server.on('tlsClientError', () => undefined);
  await once(server.listen(0, '127.0.0.1'), 'listening');
}

function grpcServer(options: TlsOptions): Server {
  const made = createHttp2Server(options);
  made.on('sessionError', () => undefined);
  made.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.resume().on('end', () => stream.end(framed(Buffer.alloc(0))));
  });
  return made as unknown as Server;
}

function bedFor({ protocol }: Door, tls: Tls | undefined, host = 'localhost'): CallBed {
  const target = `${protocol === 'http' ? 'https' : 'grpcs'}://${host}:${(server.address() as AddressInfo).port}`;
  const bed = new CallBed({
    one: { protocol, targets: [target], circuitBreaker: 'off', ...(tls && { tls }) },
  });
  beds.push(bed);
  return bed;
}

const problemOf = (call: Promise<unknown>): Promise<Problem> =>
  call.then(
    () => Promise.reject(new Error('was answered')),
    (error: unknown) => error as Problem,
  );

const MUTUAL: TlsOptions = { requestCert: true, rejectUnauthorized: true, ca: authority.cert };
const ACCEPTED: readonly (readonly [
  what: string,
  own: Certificate,
  tls: Tls,
  host?: string,
  more?: TlsOptions,
])[] = [
  ['its own authority', good, { ca }],
  ['one authority of several', good, { ca: bundle }],
  ['an address that is certified', good, { ca }, '127.0.0.1'],
  ['another name that is asked for', elsewhere, { ca, serverName: 'other.test' }],
  ['no verification of a stranger', stranger, { verify: false }],
  ['no verification of another name', elsewhere, { ca, verify: false }],
  ['no verification of what is over', expired, { ca, verify: false }],
  ['a certificate of the gateway', good, { ca, ...shown(gateway, 'gateway') }, 'localhost', MUTUAL],
];
const REFUSED: readonly (readonly [what: string, own: Certificate, tls: Tls | undefined, reason: RegExp | undefined, host?: string, more?: TlsOptions])[] = [
  ['an authority that the system does not know', good, undefined, /UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/],
  ['another authority', good, { ca: otherCa }, /UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|SIGNATURE/],
  ['a certificate that is its own', stranger, { ca }, /SELF_SIGNED/],
  ['another host', elsewhere, { ca }, /ALTNAME/],
  ['another address', elsewhere, { ca }, /ALTNAME/, '127.0.0.1'],
  ['another name than is asked for', good, { ca, serverName: 'other.test' }, /ALTNAME/],
  ['an expired certificate', expired, { ca }, /EXPIRED/],
  ['one that is not valid yet', early, { ca }, /NOT_YET_VALID/],
  ['no certificate where one is asked for', good, { ca }, undefined, 'localhost', MUTUAL],
  ['a certificate of a stranger', good, { ca, ...shown(impostor, 'impostor') }, undefined, 'localhost', MUTUAL],
]; // prettier-ignore

describe.each(Object.entries(DOORS))('%s over TLS', (_name, door) => {
  it.each(ACCEPTED)('is answered with %s', async (...[, own, tls, host, more]) => {
    await listen(door.protocol, own, more);
    await door.call(bedFor(door, tls, host));
    const name = host === '127.0.0.1' ? false : (tls.serverName ?? 'localhost');
    expect(greeted).toEqual([{ name, client: more && 'gateway', isResumed: false }]);
  });

  it.each(REFUSED)('is refused with %s', async (...[, own, tls, reason, host, more]) => {
    await listen(door.protocol, own, more);
    const problem = await problemOf(door.call(bedFor(door, tls, host)));
    expect(problem.code).toBe('upstream-unreachable');
    // The client reads nothing of it, the log does.
    expect([problem.detail, problem.extensions]).toEqual([undefined, undefined]);
    if (reason !== undefined) expect(JSON.stringify(errorFacts(problem))).toMatch(reason);
  });

  it.each([
    [{ ca }, elsewhere, 'other.test'],
    [{ ca, serverName: 'localhost' }, good, 'localhost'],
  ])('is answered with %j and the name that an address was found by', async (tls, own, name) => {
    await listen(door.protocol, own);
    const bed = bedFor(door, tls, '127.0.0.1');
    const [{ origin: url } = { origin: '' }] = upstream(bed).targets;
    upstream(bed).replace([{ url, weight: 1, labels: {}, priority: 0, serverName: 'other.test' }]);
    await door.call(bed);
    expect(greeted).toMatchObject([{ name }]);
  });

  it('is refused by a target that speaks in the clear', async () => {
    server = createTcpServer((socket) => socket.on('error', () => undefined).end('HTTP/1.1 200 OK\r\n\r\n'));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    expect((await problemOf(door.call(bedFor(door, { verify: false })))).code).toBe('upstream-unreachable');
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'resumes its session of %s on another connection',
    async (version) => {
      await listen(door.protocol, good, { minVersion: version, maxVersion: version });
      const bed = bedFor(door, { ca });
      await door.call(bed);
      const ended = [...sockets].map((socket) => once(socket, 'close'));
      for (const socket of sockets) socket.destroy();
      await Promise.all(ended);
      // It may not have heard of the end yet.
      while (greeted.length < 2) await door.call(bed).catch(() => undefined);
      expect(greeted.map(({ isResumed }) => isResumed)).toEqual([false, true]);
    },
  );
});

describe(TlsCredentials.name, () => {
  it('waits for a handshake for as long as it may, and no longer', async () => {
    server = createTcpServer((socket) => void sockets.add(socket.on('error', () => undefined)));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const credentials = new TlsCredentials(new TargetTls('localhost'), 50);
    const connector = credentials._createSecureConnector({ path: 'localhost' }, {});
    const silent = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await expect(connector.connect(silent)).rejects.toMatchObject({ code: 'ETIMEDOUT' });
    await once(silent, 'close');
  });
});
