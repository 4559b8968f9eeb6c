import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { request, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { answer, RawService } from '../../src/upstreams/transport/http1/raw-service.fixture.ts';
import { READ, REFUSED } from '../../src/upstreams/transport/http1/answers.fixture.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';

const HEALTHY = 'this and nothing else';

let gateway: TestGateway;
let service: RawService;
/** What the service sends for `/odd`; all else is answered as it should be. */
let odd: (socket: Socket) => void = () => undefined;

beforeAll(async () => {
  service = await RawService.start(({ socket, text }) => {
    if (text.includes(' /odd ')) odd(socket);
    else socket.write(answer(HEALTHY));
  });
  gateway = await startGateway({
    config: `
version: 1
defaults: { policies: { authentication: public, deadline: 5s } }
upstreams:
  odd: { targets: ['http://127.0.0.1:${service.port}'], circuitBreaker: off, retry: { attempts: 1 }, maxConnections: 1 }
routes: [{ id: odd, match: { path: '/*' }, upstream: odd }]
`,
  });
});
afterAll(async () => {
  await gateway.stop();
  await service.close();
});

interface Heard {
  readonly status: number;
  readonly body: string;
  readonly isCut: boolean;
}

/** Asks, and tells how that ended; fails when it does not end. */
function ask(path: string, method = 'GET'): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const asking = request(gateway.url + path, {
      method,
      agent: false,
      timeout: 10_000,
      maxHeaderSize: 65_536,
    });
    asking.once('error', reject).once('timeout', () => asking.destroy(new Error('nothing has come')));
    asking.once('response', (response: IncomingMessage) => {
      let body = '';
      response.setEncoding('latin1').on('data', (piece: string) => (body += piece));
      response.on('error', () => undefined);
      response.once('close', () =>
        resolve({ status: response.statusCode ?? 0, body, isCut: !response.complete }),
      );
    });
    asking.end();
  });
}

// Whatever came before on the one connection that there may be: the next client gets his own answer.
afterEach(async () => {
  for (let i = 0; i < 2; i += 1)
    expect(await ask('/healthy')).toEqual({ status: 200, body: HEALTHY, isCut: false });
});

describe('an answer of a target, proxied', () => {
  it.each(READ)('arrives with %s', async (_, text, { status = 200, body }) => {
    odd = (socket) => void socket.write(text, 'latin1');
    const heard = await ask('/odd');
    expect([heard.status, heard.isCut]).toEqual([status, false]);
    if (body !== undefined) expect(heard.body).toBe(body);
  });

  it.each(READ)('to HEAD is its head alone, and ends there, with %s', async (_, text, { status = 200 }) => {
    // Whoever sends a body all the same has said too much, and loses his connection.
    const head = text.slice(0, text.lastIndexOf('\r\n\r\nHTTP/1.') + 1);
    const end = text.indexOf('\r\n\r\n', text.indexOf(`HTTP/1.`, head.length)) + 4;
    odd = (socket) => void socket.write(text.slice(0, end), 'latin1');
    expect(await ask('/odd', 'HEAD')).toEqual({ status, body: '', isCut: false });
  });

  it.each(REFUSED)('is refused, or broken off, with %s', async (_, text) => {
    odd = (socket) => void socket.end(text, 'latin1');
    const { status, body, isCut } = await ask('/odd');
    // What was whole before the fault is an answer.
    if (status === 200 && !isCut) expect(['a', '']).toContain(body);
    else if (!isCut) expect([502, 204]).toContain(status);
  });
});

describe('each byte of an answer changed in turn', () => {
  it.each([
    ['of a length', answer('body', 'x-one: a\r\n')],
    [
      'in chunks',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4;x=y\r\nbody\r\n0\r\nx-sum: 1\r\n\r\n',
    ],
  ])('reaches nobody else, %s', async (_, whole) => {
    for (let turn = 0; turn < whole.length * 2; turn += 1) {
      odd = (socket) => {
        const bytes = Buffer.from(whole, 'latin1');
        const at = turn % bytes.length;
        bytes[at] = (bytes[at] as number) ^ (1 + ((turn * 37) % 255));
        socket.end(bytes);
      };
      const heard = await ask('/odd');
      expect(heard.status === 200 || heard.status >= 201).toBe(true);
      expect(await ask('/healthy')).toEqual({ status: 200, body: HEALTHY, isCut: false });
    }
  });
});
