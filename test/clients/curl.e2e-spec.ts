import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { certificate } from '../support/certificates.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { KindsServer } from '../support/kinds-server.ts';
import { decoded, encoded } from '../support/pass-gateway.ts';
import { API_KEY } from '../support/shop.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-curl-'));
const ca = certificate({ name: 'authority', isAuthority: true });
const own = certificate({ name: 'own', hosts: ['127.0.0.1'], by: ca });
const file = (name: string, content: string | Buffer): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const caFile = file('ca.pem', ca.cert);
const tls = { certificates: [{ cert: file('own.pem', own.cert), key: file('own.key', own.key) }] };
const [PLAIN, SECURE] = [0, 1] as const;

const to = (path: string, policies: object): object => ({ match: { path }, upstream: 'sent', policies });

const running: { gateway?: TestGateway; service?: TestUpstream; kinds?: KindsServer } = {};
beforeAll(async () => {
  await run('curl', ['--version']).catch((cause: unknown) => {
    throw new Error('expected `curl` with HTTP/2 on the path: apt-get install curl', { cause });
  });
  running.service = await startUpstream((request, response) => {
    response.setHeader('content-type', 'text/plain');
    request.pipe(response);
  });
  running.kinds = await new KindsServer().start();
  const sha256 = createHash('sha256').update(API_KEY).digest('hex');
  running.gateway = await startGateway({
    config: JSON.stringify({
      version: 1,
      identity: { apiKeys: [{ sha256, clientId: 'app' }] },
      defaults: { policies: { authentication: { schemes: ['apiKey'] } } },
      listeners: [
        { port: 0, http2: true },
        { port: 0, http2: true, tls },
      ],
      upstreams: {
        sent: { targets: [running.service.url] },
        kinds: { protocol: 'grpc', targets: [running.kinds.url] },
        dead: {
          targets: ['http://127.0.0.1:1'],
          circuitBreaker: { consecutiveFailures: 1, window: 1, openFor: '1h' },
          retry: { attempts: 1 },
        },
      },
      routes: [
        { id: 'sent', match: { path: '/sent' }, upstream: 'sent' },
        { id: 'forbidden', ...to('/forbidden', { authorization: { anyRole: ['admin'] } }) },
        { id: 'small', ...to('/small', { bodyLimit: '3B' }) },
        { id: 'often', ...to('/often', { rateLimit: { key: 'global', rate: 1, per: '365d' } }) },
        { id: 'dead', match: { path: '/dead' }, upstream: 'dead' },
        { id: 'calls', match: { path: '/test.v1.Kinds/*' }, upstream: 'kinds', passGrpc: true },
      ],
    }),
  });
});
afterAll(async () => {
  await running.gateway?.stop();
  await running.service?.stop();
  running.kinds?.stop();
  rmSync(folder, { recursive: true });
});

/** How it is asked, which listener, what stands on the command line, and which version of HTTP it has to be. */
type Way = readonly [name: string, at: number, args: readonly string[], version: string];
const WAYS: readonly Way[] = [
  ['HTTP/1.1', PLAIN, ['--http1.1'], '1.1'],
  ['HTTP/1.1 with an upgrade to HTTP/2 that is not taken', PLAIN, ['--http2'], '1.1'],
  ['HTTP/2 in the clear', PLAIN, ['--http2-prior-knowledge'], '2'],
  ['HTTP/1.1 over TLS', SECURE, ['--http1.1', '--cacert', caFile], '1.1'],
  ['HTTP/2 over TLS, by ALPN', SECURE, ['--http2', '--cacert', caFile], '2'],
];

interface Heard {
  readonly version: string;
  readonly status: number;
  readonly head: string;
  readonly bytes: Buffer;
}

/** Asks with what stands on the command line. */
async function curl(at: number, path: string, args: readonly string[]): Promise<Heard> {
  const url = new URL(path, running.gateway?.gateway.urls[at]).href;
  const [body, head] = [join(folder, 'body'), join(folder, 'head')];
  writeFileSync(body, '');
  const always = [
    '-sS',
    '-q',
    '--noproxy',
    '*',
    '-m',
    '10',
    '-o',
    body,
    '-D',
    head,
    '-w',
    '%{http_version} %{http_code}',
  ];
  const { stdout } = await run('curl', [...always, ...args, url]);
  const [version = '', status] = stdout.split(' ');
  return { version, status: Number(status), head: readFileSync(head, 'latin1'), bytes: readFileSync(body) };
}

describe.each(WAYS)('curl over %s', (_, at, args, version) => {
  const known = ['-H', `X-API-Key: ${API_KEY}`];

  it('gets an answer, and what it has sent', async () => {
    const sent = 'x'.repeat(200_000);
    const heard = await curl(at, '/sent', [...args, ...known, '--data-binary', `@${file('sent', sent)}`]);
    expect(heard).toMatchObject({ version, status: 200 });
    expect(String(heard.bytes)).toBe(sent);
    expect(await curl(at, '/sent', [...args, ...known, '-I'])).toMatchObject({ version, status: 200 });
  });

  it('hears a problem', async () => {
    const heard = await curl(at, '/sent', [...args]);
    expect(heard).toMatchObject({ version, status: 401 });
    expect(JSON.parse(String(heard.bytes))).toMatchObject({ code: 'credentials-missing' });
  });
});

/** Refusals of a request whose body is still on its way, or waits to be asked for. */
const REFUSALS: readonly (readonly [status: number, code: string, path: string, flags: readonly string[]])[] =
  [
    [401, 'credentials-missing', '/sent', []],
    [403, 'permission-denied', '/forbidden', ['-H', `X-API-Key: ${API_KEY}`]],
    [404, 'route-not-found', '/nowhere', []],
    [413, 'body-too-large', '/small', ['-H', `X-API-Key: ${API_KEY}`]],
    [429, 'rate-limited', '/often', ['-H', `X-API-Key: ${API_KEY}`]],
    [431, 'headers-too-large', '/sent', ['-H', `X-Large: ${'x'.repeat(60_000)}`]],
    [503, 'circuit-open', '/dead', ['-H', `X-API-Key: ${API_KEY}`]],
  ];

describe.each(WAYS.filter(([, , , version]) => version === '2'))(
  'curl that uploads over %s',
  (_, at, args, version) => {
    beforeAll(async () => {
      // Spent, and broken.
      for (const path of ['/often', '/dead']) await curl(at, path, [...args, '-H', `X-API-Key: ${API_KEY}`]);
    });

    it.each(REFUSALS)('hears %i %s, however large its body is', async (status, code, path, flags) => {
      const large = file('large', 'x'.repeat(2_000_000));
      for (const body of [
        ['--data-binary', 'small'],
        ['--data-binary', `@${large}`],
        ['-T', large],
        ['--data-binary', `@${large}`, '-H', 'Expect: 100-continue'],
      ]) {
        // It fails for an exit of curl other than 0, such as 92 for a stream that was not ended as it should be.
        const heard = await curl(at, path, [...args, ...flags, ...body]);
        expect([body, heard]).toMatchObject([body, { version, status }]);
        expect(JSON.parse(String(heard.bytes))).toMatchObject({ status, code });
      }
    });
  },
);

describe.each(WAYS.filter(([, , , version]) => version === '2'))(
  'curl, calling gRPC over %s',
  (_, at, args) => {
    const typed = [...args, '-H', 'content-type: application/grpc', '-H', 'te: trailers'];
    const message = encoded('AllKinds', { stringValue: 'hello' });
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    const data = ['--data-binary', `@${file('message', Buffer.concat([prefix, message]))}`];

    it('gets a message and a status in trailers', async () => {
      const heard = await curl(at, '/test.v1.Kinds/Echo', [...typed, '-H', `X-API-Key: ${API_KEY}`, ...data]);
      expect(heard.status).toBe(200);
      expect(heard.bytes.readUInt32BE(1)).toBe(heard.bytes.length - 5);
      expect(decoded('AllKinds', heard.bytes.subarray(5))).toMatchObject({ stringValue: 'hello' });
      // Trailers stand behind the head in what it was told to write down.
      expect(heard.head.split('\r\n\r\n').at(-1) || heard.head).toMatch(/grpc-status: 0/);
    });

    it('hears a refusal as a status of gRPC', async () => {
      const heard = await curl(at, '/test.v1.Kinds/Echo', [...typed, ...data]);
      expect([heard.status, heard.bytes.length]).toEqual([200, 0]);
      expect(heard.head).toMatch(/grpc-status: 16\r\n/);
    });
  },
);
