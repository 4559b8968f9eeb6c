import { afterEach, describe, expect, it } from '@jest/globals';
import type { Socket } from 'node:net';
import { FRAME, type Frame } from './frames.ts';
import type { Http2Pool } from './http2-pool.ts';
import {
  ask,
  frame,
  GREETING,
  OK,
  poolFor,
  RawTarget,
  type AskOptions,
  type Ending,
} from './raw-target.fixture.ts';

const { data, headers, rstStream, settings, pushPromise, ping, goaway, windowUpdate, continuation } = FRAME;
const END_STREAM = 1;
const END_HEADERS = 4;
const PADDED = 8;
const PRIORITY = 32;
const HEAD = frame(headers, END_HEADERS, 1, OK);
const TRAILERS = frame(headers, END_HEADERS | END_STREAM, 1, '00 0b 677270632d737461747573 01 30');
const ANSWER = Buffer.concat([HEAD, frame(data, 0, 1, Buffer.from('answer')), TRAILERS]);

let target: RawTarget | undefined;
let pool: Http2Pool | undefined;

afterEach(async () => {
  pool?.close();
  await target?.close();
});

/** Asks a target that answers the first request with these bytes. */
async function answered(bytes: Buffer, options: AskOptions = {}): Promise<Ending> {
  target = await RawTarget.start((heard, socket) => {
    if (heard.type === headers) socket.write(bytes);
  });
  pool = poolFor(target.port);
  return ask(pool, options);
}

/** The code of the farewell that the target got. */
async function farewell(): Promise<number | undefined> {
  for (let tries = 0; tries < 200; tries += 1) {
    const [said] = target?.heard(goaway) ?? [];
    if (said !== undefined) return said.payload.readUInt32BE(4);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return undefined;
}

describe('an answer', () => {
  it('is read from head, body and trailers', async () => {
    expect(await answered(Buffer.concat([GREETING, ANSWER]))).toEqual({
      status: 200,
      fields: { ':status': '200' },
      body: 'answer',
      trailers: { 'grpc-status': '0' },
    });
  });

  it.each<[string, Buffer, Ending]>([
    ['with padding', Buffer.concat([HEAD, frame(data, PADDED | END_STREAM, 1, '02 6869 0000')]), { body: 'hi' }],
    ['with padding and priority', frame(headers, PADDED | PRIORITY | END_HEADERS | END_STREAM, 1, '01 00000000 10 88 00'), { body: '' }],
    ['of a head alone', frame(headers, END_HEADERS | END_STREAM, 1, OK), { body: '', trailers: {} }],
    ['after an interim head', Buffer.concat([frame(headers, END_HEADERS, 1, '48 03 313033'), ANSWER]), { body: 'answer' }],
    ['with a head in three frames', Buffer.concat([frame(headers, END_STREAM, 1, '00 01'), frame(continuation, 0, 1, '78 01 79'), frame(continuation, END_HEADERS, 1, OK)]), { fields: { x: 'y', ':status': '200' } }],
    ['among frames that mean nothing', Buffer.concat([frame(2, 0, 1, '0000000010'), frame(0xee, 0xff, 7, 'aa'), ANSWER]), { body: 'answer' }],
    ['with an empty piece', Buffer.concat([HEAD, frame(data, 0, 1), frame(data, END_STREAM, 1, '61')]), { body: 'a' }],
    ['before a reset that comes too late', Buffer.concat([ANSWER, frame(rstStream, 0, 1, '00000000')]), { body: 'answer' }],
  ])('%s is read', async (_, bytes, expected) => {
    expect(await answered(Buffer.concat([GREETING, bytes]))).toMatchObject(expected);
  }); // prettier-ignore

  it('is read byte by byte as well', async () => {
    target = await RawTarget.start((heard, socket) => {
      if (heard.type === headers) void trickle(socket, Buffer.concat([GREETING, ANSWER]));
    });
    pool = poolFor(target.port);
    expect(await ask(pool)).toMatchObject({ body: 'answer' });
  });

  it('is refused when it is larger than wanted, and the connection goes on', async () => {
    const body = frame(data, 0, 1, Buffer.alloc(11));
    expect(await answered(Buffer.concat([GREETING, HEAD, body]), { maxBytes: 10 })).toEqual({
      status: 200, fields: { ':status': '200' }, oversized: true,
    }); // prettier-ignore
    await heardOf(rstStream);
    expect(target?.sockets).toHaveLength(1);
  });

  it.each<[string, Buffer, number]>([
    ['a body before its head', frame(data, 0, 1, '61'), 1],
    ['a second head that is not the end', Buffer.concat([HEAD, HEAD]), 1],
    ['a head without a status', frame(headers, END_HEADERS, 1, '00 0178 0179'), 1],
    ['a status that is no number', frame(headers, END_HEADERS, 1, '48 03 616263'), 1],
    ['an interim head as its end', frame(headers, END_HEADERS | END_STREAM, 1, '48 03 313030'), 1],
    ['a window that grows by nothing', frame(windowUpdate, 0, 1, '00000000'), 1],
    ['a window above 2^31-1', frame(windowUpdate, 0, 1, '7fffffff'), 3],
    ['a reset', frame(rstStream, 0, 1, '00000002'), 2],
  ])('ends alone with %s', async (_, bytes, code) => {
    const { error } = await answered(Buffer.concat([GREETING, bytes]));
    expect(error?.http2ErrorCode).toBe(code);
    expect(target?.heard(goaway)).toEqual([]);
    // The connection is as good as before.
    target?.sockets[0]?.write(Buffer.concat([frame(headers, END_HEADERS | END_STREAM, 3, OK)]));
    expect(await ask(pool as Http2Pool)).toMatchObject({ status: 200 });
    expect(target?.sockets).toHaveLength(1);
  });
});

describe('a connection', () => {
  const PROTOCOL = 1;
  const FLOW_CONTROL = 3;
  const FRAME_SIZE = 6;
  const COMPRESSION = 9;
  const CALM = 11;

  it.each<[string, Buffer, number]>([
    ['an answer in HTTP/1.1', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), FRAME_SIZE],
    ['no settings first', HEAD, PROTOCOL],
    ['a frame above 16384 bytes', Buffer.concat([GREETING, frame(data, 0, 1, Buffer.alloc(16_385))]), FRAME_SIZE],
    ['a push', Buffer.concat([GREETING, frame(pushPromise, END_HEADERS, 1, '00000002 88')]), PROTOCOL],
    ['a body of the connection', Buffer.concat([GREETING, frame(data, 0, 0, '61')]), PROTOCOL],
    ['a head of a stream of its own', Buffer.concat([GREETING, frame(headers, END_HEADERS, 2, OK)]), PROTOCOL],
    ['a head of a stream that nobody opened', Buffer.concat([GREETING, frame(headers, END_HEADERS, 9, OK)]), PROTOCOL],
    ['a reset of a stream that nobody opened', Buffer.concat([GREETING, frame(rstStream, 0, 9, '00000002')]), PROTOCOL],
    ['a reset of three bytes', Buffer.concat([GREETING, frame(rstStream, 0, 1, '000002')]), FRAME_SIZE],
    ['the rest of a head without its begin', Buffer.concat([GREETING, frame(continuation, END_HEADERS, 1, OK)]), PROTOCOL],
    ['a head that is interrupted', Buffer.concat([GREETING, frame(headers, 0, 1, OK), frame(ping, 0, 0, '0000000000000000')]), PROTOCOL],
    ['a head that another one interrupts', Buffer.concat([GREETING, frame(headers, 0, 1, OK), frame(continuation, END_HEADERS, 3, OK)]), PROTOCOL],
    ['a head that is coded wrongly', Buffer.concat([GREETING, frame(headers, END_HEADERS, 1, 'be')]), COMPRESSION],
    ['a head without end', Buffer.concat([GREETING, frame(headers, 0, 1), ...Array.from({ length: 33 }, () => frame(continuation, 0, 1))]), CALM],
    ['a head above 64 KiB', Buffer.concat([GREETING, frame(headers, 0, 1), ...Array.from({ length: 5 }, () => frame(continuation, 0, 1, Buffer.alloc(16_000)))]), CALM],
    ['padding longer than its frame', Buffer.concat([GREETING, HEAD, frame(data, PADDED, 1, '05 61')]), PROTOCOL],
    ['settings of a stream', Buffer.concat([GREETING, frame(settings, 0, 1)]), PROTOCOL],
    ['settings of five bytes', Buffer.concat([GREETING, frame(settings, 0, 0, '0000000000')]), FRAME_SIZE],
    ['an acknowledgment with settings', Buffer.concat([GREETING, frame(settings, 1, 0, '000300000001')]), FRAME_SIZE],
    ['a window above 2^31-1 for all streams', frame(settings, 0, 0, '0004 80000000'), FLOW_CONTROL],
    ['a frame size below 16384', frame(settings, 0, 0, '0005 00000001'), PROTOCOL],
    ['a window of its own above 2^31-1', Buffer.concat([GREETING, frame(windowUpdate, 0, 0, '7fffffff')]), FLOW_CONTROL],
    ['a window of its own that grows by nothing', Buffer.concat([GREETING, frame(windowUpdate, 0, 0, '00000000')]), PROTOCOL],
    ['a ping of a stream', Buffer.concat([GREETING, frame(ping, 0, 1, '0000000000000000')]), PROTOCOL],
    ['a ping of four bytes', Buffer.concat([GREETING, frame(ping, 0, 0, '00000000')]), FRAME_SIZE],
    ['a farewell of a stream', Buffer.concat([GREETING, frame(goaway, 0, 1, '0000000000000000')]), PROTOCOL],
    ['a farewell of four bytes', Buffer.concat([GREETING, frame(goaway, 0, 0, '00000000')]), FRAME_SIZE],
  ])('ends, and says so, after %s', async (_, bytes, code) => {
    const { error } = await answered(bytes);
    expect(error).toMatchObject({ wasOpen: true });
    expect(await farewell()).toBe(code);
    // A new one takes the next request.
    void ask(pool as Http2Pool);
    await heardOf(headers, 2);
    expect(target?.sockets.length).toBeGreaterThan(1);
  }); // prettier-ignore

  it('says in words that the target does not speak HTTP/2', async () => {
    const { error } = await answered(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(error?.message).toContain('the target does not answer in HTTP/2');
  });

  it('answers pings and settings', async () => {
    await answered(Buffer.concat([GREETING, frame(ping, 0, 0, '0102030405060708'), ANSWER]));
    await heardOf(ping);
    const [pong] = target?.heard(ping) ?? [];
    expect([pong?.flags, pong?.payload.toString('hex')]).toEqual([1, '0102030405060708']);
    expect(target?.heard(settings).some(({ flags }) => flags === 1)).toBe(true);
  });

  it('fails what is under way when it breaks', async () => {
    target = await RawTarget.start((heard, socket) => {
      if (heard.type === headers) socket.destroy();
    });
    pool = poolFor(target.port);
    expect((await ask(pool)).error).toMatchObject({ wasOpen: true });
  });

  it('is not there when nobody listens', async () => {
    target = await RawTarget.start(() => undefined);
    const { port } = target;
    await target.close();
    target = undefined;
    pool = poolFor(port);
    const { error } = await ask(pool);
    expect(error?.wasOpen).toBe(false);
    expect(error?.message).toContain('ECONNREFUSED');
  });

  it('survives whatever comes: each byte of an answer changed in turn', async () => {
    const whole = Buffer.concat([GREETING, ANSWER]);
    let turn = 0;
    target = await RawTarget.start((heard, socket) => {
      if (heard.type !== headers) return;
      const bytes = Buffer.from(whole);
      bytes[turn % whole.length] = (bytes[turn % whole.length] as number) ^ (1 + ((turn * 37) % 255));
      turn += 1;
      socket.end(bytes);
    });
    for (let run = 0; run < whole.length * 3; run += 1) {
      const own = poolFor(target.port);
      const ending = await ask(own);
      expect(ending.error !== undefined || ending.body !== undefined).toBe(true);
      own.close();
    }
  });
});

async function heardOf(type: number, times = 1): Promise<readonly Frame[]> {
  while ((target?.heard(type).length ?? 0) < times) await new Promise((resolve) => setTimeout(resolve, 5));
  return target?.heard(type) ?? [];
}

async function trickle(socket: Socket, bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    socket.write(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
}
