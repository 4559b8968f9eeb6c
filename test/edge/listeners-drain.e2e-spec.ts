import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { certificate } from '../support/certificates.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { field, frame, FRAME } from '../support/http2-frames.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-drain-'));
const place = { cert: join(folder, 'own.pem'), key: join(folder, 'own.key') };
const limits = { headerTime: '1h' };
const tls = { certificates: [place] };
const LISTENERS = [
  { port: 0, limits },
  { port: 0, limits, tls },
  { port: 0, limits, http2: true },
  { port: 0, limits, proxyProtocol: { from: ['loopback'], timeout: '1h' } },
];
const [PLAIN, SECURE, H2C, PROXY] = [0, 1, 2, 3] as const;
const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** A head whose end is in a frame that never comes (RFC 9113 section 6.10). */
const HTTP2_HEAD = frame(FRAME.headers, 0, 1, field(':method', 'GET')).toString('latin1');
const SETTINGS = frame(FRAME.settings, 0, 0).toString('latin1');
const HEAD = 'GET /a HTTP/1.1\r\nHost: localhost\r\n';

let upstream: TestUpstream;

beforeAll(async () => {
  const { cert, key } = certificate({ name: 'own', hosts: ['localhost'] });
  writeFileSync(place.cert, cert);
  writeFileSync(place.key, key);
  upstream = await startUpstream();
});
afterAll(async () => {
  await upstream.stop();
  rmSync(folder, { recursive: true });
});

/** A gateway that would wait for an hour: what holds it fails the test by its time. */
function start(listeners?: object[]): Promise<TestGateway> {
  const policies = { authentication: 'public' };
  return startGateway({
    config: JSON.stringify({
      version: 1,
      listeners,
      upstreams: { echo: { targets: [upstream.url] } },
      routes: [{ id: 'all', match: { path: '/*' }, upstream: 'echo', policies }],
    }),
    environment: { DRAIN_DELAY: '200ms', SHUTDOWN_TIMEOUT: '1h' },
  });
}

function open(url: string, options?: { readonly alpn?: string; readonly secure?: boolean }): Promise<Socket> {
  const where = { port: Number(new URL(url).port), host: '127.0.0.1' };
  const isSecure = options?.secure ?? url.startsWith('https:');
  const socket = isSecure
    ? connectTls({ ...where, rejectUnauthorized: false, ALPNProtocols: [options?.alpn ?? 'http/1.1'] })
    : connectTcp(where);
  // It may be reset when it ends.
  socket.on('error', () => {});
  return once(socket, isSecure ? 'secureConnect' : 'connect').then(() => socket);
}

/** Writes, and waits until the gateway has read it: what comes after it on another connection is answered. */
async function say(gateway: TestGateway, socket: Socket, text: string): Promise<void> {
  socket.write(text, 'latin1');
  await fetch(`${gateway.gateway.urls[0]}/a`, { headers: { connection: 'close' } });
}

async function answerOf(socket: Socket): Promise<string> {
  const [data] = (await once(socket, 'data')) as [Buffer];
  return data.toString('latin1');
}

describe('a gateway that ends', () => {
  it.each([
    ['a part of a head', undefined, 0, HEAD, {}],
    ['a part of a head, at a listener', LISTENERS, PLAIN, HEAD, {}],
    ['a part of a head, over TLS', LISTENERS, SECURE, HEAD, {}],
    ['nothing, over TLS', LISTENERS, SECURE, '', {}],
    ['a part of a handshake', LISTENERS, SECURE, '\x16\x03\x01', { secure: false }],
    ['no preface of HTTP/2 over TLS, who reads nothing either', LISTENERS, SECURE, '', { alpn: 'h2' }],
    ['a part of the preface of HTTP/2', LISTENERS, H2C, 'PRI * HT', {}],
    ['a part of a head of HTTP/2', LISTENERS, H2C, PREFACE + SETTINGS + HTTP2_HEAD, {}],
    ['a part of the PROXY protocol', LISTENERS, PROXY, 'PROXY TCP4 ', {}],
  ] as const)('does not wait for who has sent %s', async (_what, listeners, index, text, options) => {
    const gateway = await start(listeners && [...listeners]);
    const socket = await open(gateway.gateway.urls[index] as string, options);
    const ended = once(socket, 'close');
    if (text !== '') await say(gateway, socket, text);
    await gateway.stop();
    // Only now does it read what it was told.
    socket.resume();
    await ended;
  });

  it.each([PLAIN, SECURE])(
    'does not wait for a second head that stays a part (listener %i)',
    async (index) => {
      const gateway = await start(LISTENERS);
      const socket = await open(gateway.gateway.urls[index] as string);
      socket.write(`${HEAD}\r\n`);
      expect(await answerOf(socket)).toMatch(/^HTTP\/1.1 200/);
      const ended = once(socket, 'close');
      await say(gateway, socket, HEAD);
      await gateway.stop();
      await ended;
    },
  );

  it.each([PLAIN, SECURE])(
    'answers a head that becomes whole in time, and what is under way (listener %i)',
    async (index) => {
      const gateway = await start(LISTENERS);
      const url = gateway.gateway.urls[index] as string;
      const [late, slow] = [await open(url), await open(url)];
      let finish: (() => void) | undefined;
      upstream.listener = (request, response) => {
        if (request.url === '/slow') finish = () => response.end('slow');
        else response.end('ok');
      };
      slow.write('GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await say(gateway, late, HEAD);
      while (finish === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
      const stopped = gateway.stop();
      late.write('\r\n');
      expect(await answerOf(late)).toMatch(/^HTTP\/1.1 200[^]*connection: close/i);
      // Longer than it takes until what says nothing is ended.
      await new Promise((resolve) => setTimeout(resolve, 600));
      finish();
      expect(await answerOf(slow)).toMatch(/^HTTP\/1.1 200/);
      await stopped;
    },
  );
});
