import { describe, expect, it } from '@jest/globals';
import { speak, statusOf } from '../support/client.ts';
import { useShop } from '../support/shop.ts';
import type { Echo } from '../support/upstream.ts';

const holder = useShop({
  routes: [
    { id: 'echo', match: { path: '/api/*' }, upstream: 'echo', policies: { authentication: 'public' } },
  ],
});

const HOP_BY_HOP = {
  'keep-alive': 'timeout=5',
  'proxy-connection': 'keep-alive',
  'proxy-authorization': 'Basic c2VjcmV0',
  'proxy-authenticate': 'Basic',
  te: 'trailers',
  upgrade: 'h2c',
  'http2-settings': 'AAMAAABkAAQCAAAAAAIAAAAA',
};

describe('a field that concerns one connection only', () => {
  it.each(Object.entries(HOP_BY_HOP))('does not travel on: %s', async (name, value) => {
    for (const connection of ['keep-alive', `keep-alive, ${name}`]) {
      const answer = await holder.shop.call('/api/x', { headers: { [name]: value, connection } });
      expect(answer.json<Echo>().headers).not.toHaveProperty(name);
    }
  });

  it('is also one that Connection lists, in any spelling and in several lines', async () => {
    const headers = {
      connection: ['close, X-One', 'x-TWO , x-three'],
      'x-one': '1',
      'x-two': '2',
      'x-three': '3',
    };
    const { headers: seen } = (await holder.shop.call('/api/x', { headers })).json<Echo>();
    expect(Object.keys(seen)).not.toEqual(expect.arrayContaining(['x-one']));
    expect(seen).not.toHaveProperty('x-two');
    expect(seen).not.toHaveProperty('x-three');
  });

  it('cannot switch the connection to another protocol past the policies', async () => {
    const upgrade =
      'GET /api/x HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
    const answer = await speak(holder.shop.gateway.url, upgrade);
    expect(statusOf(answer)).toBe(200);
    expect(answer).not.toMatch(/"upgrade"/i);
    expect(
      statusOf(
        await speak(holder.shop.gateway.url, 'CONNECT internal:80 HTTP/1.1\r\nHost: internal:80\r\n\r\n'),
      ),
    ).not.toBe(200);
  });
});
