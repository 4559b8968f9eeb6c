import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import type { CallPatience, CarriedCall, StreamedBody } from './carried-call.ts';
import type { Http1Pool } from './http1-pool.ts';
import { answer, poolFor } from './raw-service.fixture.ts';

let pool: Http1Pool;
let server: Server;

afterEach(() => {
  pool.close();
  server.close();
});

/** Sends a body to a service, and tells how that ends: with its answer, or with the code of an error. */
async function sent(body: StreamedBody, reads: boolean, patience: CallPatience): Promise<string> {
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    let bytes = 0;
    if (!reads) return void socket.pause();
    socket.on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes >= LARGE) socket.write(answer('read'));
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  pool = poolFor((server.address() as AddressInfo).port);
  const head = pool.headOf({ method: 'PUT', path: '/', fields: [], body });
  return new Promise((resolve) => {
    const call: CarriedCall = {
      message: { head, body, isIdempotent: false },
      patience,
      carrier: undefined,
      wasSent: false,
      isUnwanted: false,
      head: () => undefined,
      piece: (bytes, isLast) => isLast && resolve(bytes.toString()),
      progress: () => undefined,
      broke: (error) => resolve((error as NodeJS.ErrnoException).code ?? ''),
    };
    pool.carry(call);
  });
}

const LARGE = 32 * 1024 * 1024;
const PIECES = Array.from({ length: 32 }, () => Buffer.alloc(LARGE / 32));

const bodyOf = (pieces: readonly Buffer[], length: number | undefined): StreamedBody => ({
  first: [],
  rest: Readable.from(pieces, { objectMode: false }),
  length,
  trailers: () => [],
});

describe('a body that is sent while it comes', () => {
  it('ends when the service takes no more of it, were all of it there already', async () => {
    const ending = sent(bodyOf(PIECES, LARGE), false, { firstByteMs: Infinity, idleMs: 100 });
    expect(await ending).toBe('SILENT_SERVICE');
  });

  it('waits for as long as the service takes some of it', async () => {
    expect(await sent(bodyOf(PIECES, LARGE), true, { firstByteMs: 5000, idleMs: 5000 })).toBe('read');
  });

  it.each([
    ['shorter', 10, 20],
    ['longer', 20, 10],
  ])('that is %s than it says breaks its connection', async (_, bytes, length) => {
    const patience = { firstByteMs: 5000, idleMs: 5000 };
    const ending = await sent(bodyOf([Buffer.alloc(bytes)], length), true, patience);
    expect(ending).toBe('CONNECTION_ENDED');
  });
});

const REFUSAL = 'HTTP/1.1 413 Content Too Large\r\nconnection: close\r\n';
const CASES: readonly (readonly [string, string, (socket: Socket) => void, string])[] = [
  ['closes', `${REFUSAL}content-length: 5\r\n\r\nlarge`, (socket) => socket.destroy(), '413 large'],
  ['closes, without a length', `${REFUSAL}\r\nlarge`, (socket) => socket.destroy(), '413 large'],
  ['resets', `${REFUSAL}content-length: 5\r\n\r\nlarge`, (socket) => socket.resetAndDestroy(), '413 large'],
  ['closes without a word', '', (socket) => socket.destroy(), '0 EPIPE'],
  ['resets without a word', '', (socket) => socket.resetAndDestroy(), '0 ECONNRESET'],
  ['closes in its head', REFUSAL, (socket) => socket.destroy(), '0 EPIPE'],
  [
    'closes in its body',
    `${REFUSAL}content-length: 9\r\n\r\nlarge`,
    (socket) => socket.destroy(),
    '413 EPIPE',
  ],
  ['closes after nonsense', 'nonsense\r\n\r\n', (socket) => socket.destroy(), '0 MALFORMED_ANSWER'],
];

describe('an upload that the service takes no more of', () => {
  it.each(CASES)('when it answers and %s', async (_, answers, ends, ending) => {
    const rest = new PassThrough();
    const body = { first: [Buffer.from('first')], rest, length: undefined, trailers: () => [] };
    server = createServer((socket) => {
      socket
        .on('error', () => undefined)
        .once('data', () => {
          socket.write(answers);
          ends(socket);
          // In the same turn, so that nothing of the answer is read before more of the body is written: the first tells the
          // system of the service that there is more, the others fail.
          for (let i = 0; i < 8; i += 1) rest.write('more');
        });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    pool = poolFor((server.address() as AddressInfo).port);
    const head = pool.headOf({ method: 'POST', path: '/', fields: [], body });
    const heard = await new Promise<string>((resolve) => {
      let status = 0;
      let text = '';
      pool.carry({
        message: { head, body, isIdempotent: false },
        patience: { firstByteMs: 5000, idleMs: 5000 },
        carrier: undefined,
        wasSent: false,
        isUnwanted: false,
        head: (its) => void (status = its.status),
        piece: (bytes, isLast) => {
          text += bytes.toString();
          if (isLast) resolve(`${status} ${text}`);
        },
        progress: () => undefined,
        broke: (error) => resolve(`${status} ${(error as NodeJS.ErrnoException).code}`),
      });
    });
    expect(heard).toBe(ending);
    expect(rest.destroyed).toBe(true);
  });
});
