import { afterEach, describe, expect, it } from '@jest/globals';
import { FRAME } from './frames.ts';
import type { Http2Pool } from './http2-pool.ts';
import { ask, frame, GREETING, OK, poolFor, RawTarget, type Ending } from './raw-target.fixture.ts';

const { data, headers, rstStream, settings, ping, goaway, windowUpdate } = FRAME;
const ACK = 1;
const END_STREAM = 1;
const END_HEADERS = 4;
const ENHANCE_YOUR_CALM = 11;
const PROTOCOL_ERROR = 1;
/** What a connection with one request may say: 1000, 20 for the request, but for the greeting. */
const ALLOWED = 1019;
/** Head, body and end of an answer. */
const ANSWER = Buffer.concat([
  frame(headers, END_HEADERS, 1, OK),
  frame(data, 0, 1, Buffer.alloc(16, 'x')),
  frame(headers, END_HEADERS | END_STREAM, 1, '00 0b 677270632d737461747573 01 30'),
]);
const WITHOUT_BODY = frame(headers, END_HEADERS | END_STREAM, 1, OK);

const times = (count: number, one: Buffer): Buffer => Buffer.concat(new Array<Buffer>(count).fill(one));

let target: RawTarget | undefined;
let pool: Http2Pool | undefined;

afterEach(async () => {
  pool?.close();
  await target?.close();
});

/** Asks a target that answers the first request with these bytes, and each one after it well. */
async function answered(bytes: Buffer, maxBytes?: number): Promise<Ending> {
  let asked = 0;
  target = await RawTarget.start((heard, socket) => {
    if (heard.type !== headers) return;
    asked += 1;
    const whole = frame(headers, END_HEADERS | END_STREAM, heard.stream, OK);
    socket.write(Buffer.concat([GREETING, asked === 1 ? bytes : whole]));
  });
  pool = poolFor(target.port);
  return maxBytes === undefined ? ask(pool) : ask(pool, { maxBytes });
}

/** The code of the farewell that the target got. */
async function farewell(): Promise<number | undefined> {
  for (let tries = 0; tries < 400; tries += 1) {
    const [said] = target?.heard(goaway) ?? [];
    if (said !== undefined) return said.payload.readUInt32BE(4);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return undefined;
}

const FLOODS: readonly [string, Buffer][] = [
  ['settings', frame(settings, 0, 0)],
  ['confirmed settings', frame(settings, ACK, 0)],
  ['pings', frame(ping, 0, 0, '0000000000000000')],
  ['answers to pings', frame(ping, ACK, 0, '0000000000000000')],
  ['empty pieces', frame(data, 0, 1)],
  ['tiny pieces', frame(data, 0, 1, Buffer.alloc(15))],
  ['padding without a piece', frame(data, 8, 1, '01 00')],
  ['much padding without a piece', frame(data, 8, 1, Buffer.alloc(256, 255))],
  ['much padding around tiny pieces', frame(data, 8, 1, Buffer.alloc(271, 255))],
  ['wider windows of the connection', frame(windowUpdate, 0, 0, '00000001')],
  ['wider windows of the stream', frame(windowUpdate, 0, 1, '00000001')],
  ['priorities', frame(2, 0, 1, '0000000010')],
  ['frames that mean nothing', frame(0xee, 0, 7)],
];

describe('a target that floods', () => {
  it.each(FLOODS)('with %s is told to calm down, and its call fails', async (_, one) => {
    const head = frame(headers, END_HEADERS, 1, OK);
    const { error } = await answered(Buffer.concat([head, times(ALLOWED + 400, one)]));
    expect(error).toMatchObject({ wasOpen: true, message: expect.stringContaining('talks too much') });
    expect(await farewell()).toBe(ENHANCE_YOUR_CALM);
    expect(await ask(pool as Http2Pool)).toMatchObject({ status: 200 });
    expect(target?.sockets).toHaveLength(2);
  });

  it('with resets of streams that are gone is told to calm down', async () => {
    await answered(Buffer.concat([WITHOUT_BODY, times(ALLOWED + 400, frame(rstStream, 0, 1, '00000000'))]));
    expect(await farewell()).toBe(ENHANCE_YOUR_CALM);
  });

  it('with interim heads fails alone', async () => {
    const interim = frame(headers, END_HEADERS, 1, '48 03 313033');
    expect(await answered(Buffer.concat([times(64, interim), ANSWER]))).toMatchObject({ status: 200 });
    await target?.close();
    const { error } = await answered(times(65, interim));
    expect(error?.http2ErrorCode).toBe(PROTOCOL_ERROR);
    expect(target?.heard(goaway)).toEqual([]);
  });

  it('with more settings than there are, in one frame, is told to calm down', async () => {
    const setting = Buffer.from('000400010000', 'hex');
    expect(await answered(Buffer.concat([frame(settings, 0, 0, times(32, setting)), ANSWER]))).toMatchObject({
      status: 200,
    });
    await target?.close();
    await answered(frame(settings, 0, 0, times(33, setting)));
    expect(await farewell()).toBe(ENHANCE_YOUR_CALM);
  });

  it('with settings pays for each of them', async () => {
    const many = frame(settings, 0, 0, times(32, Buffer.from('000400010000', 'hex')));
    const { error } = await answered(times(50, many));
    expect(error?.message).toContain('talks too much');
  });

  it('with pieces for a stream that has ended is told to calm down', async () => {
    await answered(Buffer.concat([ANSWER, frame(data, 0, 1, Buffer.alloc(16))]));
    expect(await farewell()).toBe(ENHANCE_YOUR_CALM);
  });

  it('with pieces for a stream that was given up may send what fits into its window', async () => {
    const piece = frame(data, 0, 1, Buffer.alloc(16_384));
    const head = frame(headers, END_HEADERS, 1, OK);
    const ending = await answered(Buffer.concat([head, times(513, piece)]), 10);
    expect(ending.oversized).toBe(true);
    expect(await ask(pool as Http2Pool)).toMatchObject({ status: 200 });
    target?.sockets[0]?.write(piece);
    expect(await farewell()).toBe(ENHANCE_YOUR_CALM);
  });

  it('while nothing is asked of it loses its connection', async () => {
    expect(await answered(ANSWER)).toMatchObject({ status: 200 });
    target?.sockets[0]?.write(times(ALLOWED + 400, frame(ping, 0, 0, '0000000000000000')));
    expect(await farewell()).toBe(ENHANCE_YOUR_CALM);
  });
});

describe('a target that has much to say', () => {
  it('is heard to the end of its credit', async () => {
    const talk = times(ALLOWED - 2, frame(ping, 0, 0, '0000000000000000'));
    expect(await answered(Buffer.concat([talk, ANSWER]))).toMatchObject({ status: 200 });
    expect(target?.heard(goaway)).toEqual([]);
  });

  it('gets credit by each request, as a server does that measures the line', async () => {
    target = await RawTarget.start((heard, socket) => {
      if (heard.type !== headers) return;
      const { stream } = heard;
      const talk = [frame(windowUpdate, 0, 0, '00000001'), frame(ping, 0, 0, '0000000000000000')];
      const answer = frame(headers, END_HEADERS | END_STREAM, stream, OK);
      socket.write(
        Buffer.concat([...(stream === 1 ? [GREETING] : []), times(7, Buffer.concat(talk)), answer]),
      );
    });
    pool = poolFor(target.port);
    for (let i = 0; i < 200; i += 1) expect(await ask(pool)).toMatchObject({ status: 200 });
    expect(target.sockets).toHaveLength(1);
  });

  it('gets credit for the bodies that it is sent', async () => {
    const greeting = frame(settings, 0, 0, '0004 00200000');
    target = await RawTarget.start((heard, socket) => {
      if (heard.type === settings && heard.payload.length > 0)
        socket.write(Buffer.concat([greeting, frame(windowUpdate, 0, 0, '00200000')]));
      if (heard.type !== data) return;
      // Each KiB of a frame is worth one.
      socket.write(times(16, frame(windowUpdate, 0, 0, '00000001')));
      if ((heard.flags & END_STREAM) !== 0) socket.write(WITHOUT_BODY);
    });
    pool = poolFor(target.port);
    expect(await ask(pool, { body: Buffer.alloc(2_000_000) })).toMatchObject({ status: 200 });
    expect(target.sockets).toHaveLength(1);
  });

  it('may cut its answer into many small pieces', async () => {
    const pieces = times(60_000, frame(data, 0, 1, Buffer.alloc(16, 'x')));
    const { body } = await answered(
      Buffer.concat([frame(headers, END_HEADERS, 1, OK), pieces, frame(data, END_STREAM, 1)]),
    );
    expect(body).toBe('x'.repeat(960_000));
  });
});
