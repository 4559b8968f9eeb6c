import { afterEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { Readable } from 'node:stream';
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
