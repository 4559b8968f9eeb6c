import { afterEach, describe, expect, it } from '@jest/globals';
import type { ServerResponse } from 'node:http';
import { RawClient } from '../support/body-doors.ts';
import { API_KEY, useShop } from '../support/shop.ts';
import { echo } from '../support/upstream.ts';

const holder = useShop({ routes: [{ id: 'proxied', match: { path: '/proxied' }, upstream: 'echo' }] });
const GARBAGE = 'THIS is no request\r\n\r\n';

afterEach(() => void (holder.shop.echo.listener = echo));

function client(head: string): RawClient {
  const one = new RawClient(holder.shop.gateway.url);
  one.socket.write(`${head} HTTP/1.1\r\nHost: a\r\nX-API-Key: ${API_KEY}\r\n`);
  return one;
}

/** A client whose request has reached the upstream, which has answered as far as it is told to. */
async function answering(begin: (response: ServerResponse) => void): Promise<RawClient> {
  const asked = new Promise<void>((resolve) => {
    holder.shop.echo.listener = (_request, response) => {
      begin(response);
      resolve();
    };
  });
  const one = client('GET /proxied');
  one.socket.write('\r\n');
  await asked;
  return one;
}

describe('what is no request', () => {
  it('is not answered into an answer that has begun', async () => {
    const one = await answering((response) =>
      response.writeHead(200, { 'content-length': 1000 }).write('begun'),
    );
    await one.until((heard) => heard.endsWith('begun'));
    one.socket.write(GARBAGE);
    await one.closed;
    expect(one.heard.endsWith('\r\n\r\nbegun')).toBe(true);
  });

  it('is not answered in the place of an answer that is awaited', async () => {
    const one = await answering(() => {});
    one.socket.write(GARBAGE);
    await one.closed;
    expect(one.heard).toBe('');
  });

  it('is refused where nothing else is awaited', async () => {
    const one = new RawClient(holder.shop.gateway.url);
    one.socket.write(GARBAGE);
    await one.closed;
    expect(one.heard).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('is refused within the body of a request that waits for it', async () => {
    const one = client('POST /proxied');
    one.socket.write('Transfer-Encoding: chunked\r\n\r\n');
    one.socket.write('5\r\nhello\r\nnone\r\n');
    await one.closed;
    expect(one.heard).toMatch(/^HTTP\/1\.1 400 /);
  });
});
