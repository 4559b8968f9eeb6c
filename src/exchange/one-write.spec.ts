import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { disableComposedAnswers, enableComposedAnswers, writeComposed } from './composed-answer.ts';

const BODY_BYTES = 60_000;
/** More than any system buffers for a client that takes nothing. */
const MANY = 2000;

/** A body that nobody else gets. */
function bodyOf(path: string): Buffer {
  return Buffer.alloc(BODY_BYTES, `${path};`);
}

describe('an answer whose head and body go out as one piece', () => {
  let server: Server;
  let port: number;
  let isStuck = false;

  beforeAll(async () => {
    enableComposedAnswers();
    server = createServer(({ url = '' }, response) => {
      const lines = `\r\nContent-Length: ${BODY_BYTES}`;
      const answer = { status: 200, lines, hasDate: true, isKept: false };
      writeComposed(response, { ...answer, body: bodyOf(url) });
      isStuck = response.writableLength > 0;
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });

  afterAll(() => {
    disableComposedAnswers();
    server.closeAllConnections();
    server.close();
  });

  it('stays what it is while its client takes only a part of it', async () => {
    const slow = connect(port, '127.0.0.1');
    let sent = 0;
    while (!isStuck && sent < MANY) {
      const request = once(server, 'request');
      slow.write(`GET /slow-${(sent += 1)} HTTP/1.1\r\nHost: a\r\n\r\n`);
      await request;
    }
    expect(sent).toBeLessThan(MANY);
    for (let index = 0; index < 20; index += 1) {
      const path = `/quick-${index}`;
      const [answer] = (await once(get({ port, path }), 'response')) as [IncomingMessage];
      expect((await buffer(answer)).equals(bodyOf(path))).toBe(true);
    }
    slow.end();
    const whole = await buffer(slow);
    for (let at = 0, index = 1; index <= sent; index += 1) {
      const start = whole.indexOf('\r\n\r\n', at) + 4;
      at = start + BODY_BYTES;
      expect(whole.subarray(start, at).equals(bodyOf(`/slow-${index}`))).toBe(true);
    }
  });
});
