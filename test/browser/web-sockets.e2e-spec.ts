import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { useBrowser } from '../support/browser.ts';
import { certificate } from '../support/certificates.ts';
import { useShop } from '../support/shop.ts';
import { echoSockets, type SocketService } from '../support/socket-service.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-sockets-'));
const { cert, key } = certificate({ name: 'localhost', hosts: ['localhost', '127.0.0.1'] });
const tls = { cert: join(folder, 'own.pem'), key: join(folder, 'own.key') };
writeFileSync(tls.cert, cert);
writeFileSync(tls.key, key);
afterAll(() => rmSync(folder, { recursive: true }));

const browser = useBrowser();
const holder = useShop({
  more: { modules: [], listeners: [{ port: 0 }, { port: 0, tls: { certificates: [tls] } }] },
  modules: [],
  routes: [
    { id: 'live', match: { path: '/live' }, upstream: 'echo', webSocket: 'on' },
    { id: 'page', match: { path: '/*' }, upstream: 'echo', policies: { authentication: 'public' } },
  ],
});
let service: SocketService;
beforeAll(() => void (service = echoSockets(holder.shop.echo.server)));
afterAll(() => service.stop());

/** Talks as a page does; runs in the browser, and in Node. */
function talk([url, protocols, code]: readonly [string, string[], number]): Promise<object> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, protocols);
    const heard: string[] = [];
    socket.addEventListener('open', () =>
      ['one', 'two', 'x'.repeat(100_000)].forEach((text) => socket.send(text)),
    );
    socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
      heard.push(data.length > 10 ? String(data.length) : data);
      if (heard.length === 3) socket.close(code, 'enough');
    });
    socket.addEventListener('close', (event: CloseEvent) =>
      resolve({
        heard,
        protocol: socket.protocol,
        code: event.code,
        reason: event.reason,
        clean: event.wasClean,
      }),
    );
  });
}

const HEARD = {
  heard: ['one', 'two', '100000'],
  protocol: 'chat',
  code: 3210,
  reason: 'enough',
  clean: true,
};

it.each<[string, number]>([
  ['a page', 0],
  ['a page over HTTP/2', 1],
  ['Node', 0],
])('%s talks to a service over a socket of its own', async (who, listener) => {
  service.protocols = ['chat'];
  const token = await holder.shop.services.identity.token('user');
  const origin = holder.shop.gateway.gateway.urls[listener] as string;
  const url = `${origin.replace('http', 'ws')}/live`;
  const asked: readonly [string, string[], number] = [url, ['chat', `bearer.${token}`], 3210];
  if (who === 'Node') return expect(await talk(asked)).toEqual(HEARD);
  const { page, complaints, close } = await browser.open(`${origin}/page`, { ignoreHTTPSErrors: true });
  expect(await page.evaluate(talk, asked)).toEqual(HEARD);
  expect(complaints).toEqual([]);
  await close();
  // A browser uses the connection that it has, if that takes sockets (RFC 8441); the line says which answer it got.
  const lines = await holder.shop.gateway.linesWhere((line) => line['route'] === 'live');
  expect(lines.at(-1)).toMatchObject({ status: listener === 1 ? 200 : 101, socket: { code: 3210 } });
});
