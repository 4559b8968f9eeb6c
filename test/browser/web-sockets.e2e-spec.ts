import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { useBrowser } from '../support/browser.ts';
import { useShop } from '../support/shop.ts';
import { echoSockets, type SocketService } from '../support/socket-service.ts';

const browser = useBrowser();
const holder = useShop({
  more: { modules: [] },
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

it.each(['a page', 'Node'])('%s talks to a service over a socket of its own', async (who) => {
  service.protocols = ['chat'];
  const token = await holder.shop.services.identity.token('user');
  const url = `${holder.shop.gateway.url.replace('http', 'ws')}/live`;
  const asked: readonly [string, string[], number] = [url, ['chat', `bearer.${token}`], 3210];
  if (who === 'Node') return expect(await talk(asked)).toEqual(HEARD);
  const { page, complaints, close } = await browser.open(`${holder.shop.gateway.url}/page`);
  expect(await page.evaluate(talk, asked)).toEqual(HEARD);
  expect(complaints).toEqual([]);
  await close();
});
