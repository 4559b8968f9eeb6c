import { afterEach, describe, expect, it } from '@jest/globals';
import { FRAME } from './frames.ts';
import type { DuplexStream } from './duplex-stream.ts';
import type { Http2Pool } from './http2-pool.ts';
import { frame, GREETING, OK, poolFor, RawTarget } from './raw-target.fixture.ts';
import { KEPT_BYTES, StreamedBody } from './streamed-body.ts';

const { data, headers, rstStream, settings, windowUpdate, goaway } = FRAME;
const END_STREAM = 1;
const END_HEADERS = 4;
const WINDOW = 32_768;
const HALF = Buffer.alloc(16_384, 'x');
const HEAD = frame(headers, END_HEADERS, 1, OK);

let target: RawTarget | undefined;
let pool: Http2Pool | undefined;

afterEach(async () => {
  pool?.close();
  await target?.close();
});

/** One stream, whose reader takes pieces as long as it is told to. */
class Reading {
  readonly body = new StreamedBody();
  isTaking = true;
  bytes = 0;
  drains = 0;
  error: (Error & { http2ErrorCode?: number }) | undefined = undefined;
  isEnded = false;
  stream!: DuplexStream;

  async start(onHead: (say: (bytes: Buffer) => void) => void): Promise<this> {
    target = await RawTarget.start(({ type }, socket) => {
      if (type === headers) onHead((bytes) => socket.write(bytes));
    });
    pool = poolFor(target.port, { streamWindow: WINDOW });
    this.stream = pool.open({ path: '/a.B/C', fields: [] }, this.body, {
      head: () => {},
      data: (piece) => {
        this.bytes += piece.length;
        return this.isTaking;
      },
      ended: () => (this.isEnded = true),
      broke: (error) => (this.error = error),
      drained: () => (this.drains += 1),
    });
    return this;
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const ofStream = (type: number) => (target?.heard(type) ?? []).filter(({ stream }) => stream === 1);

describe('the answer of a stream', () => {
  it('is let on only as far as it was taken', async () => {
    const reading = new Reading();
    reading.isTaking = false;
    await reading.start((say) =>
      say(Buffer.concat([GREETING, HEAD, frame(data, 0, 1, HALF), frame(data, 0, 1, HALF)])),
    );
    await until(() => reading.bytes === HALF.length);
    expect(ofStream(windowUpdate)).toEqual([]);
    reading.isTaking = true;
    reading.stream.resume();
    await until(() => ofStream(windowUpdate).length > 0);
    expect(reading.bytes).toBe(WINDOW);
    expect(ofStream(windowUpdate)[0]?.payload.readUInt32BE(0)).toBe(WINDOW);
  });

  it('ends the stream when more comes than was allowed', async () => {
    const reading = new Reading();
    reading.isTaking = false;
    const full = Buffer.concat([frame(data, 0, 1, HALF), frame(data, 0, 1, HALF)]);
    await reading.start((say) => say(Buffer.concat([GREETING, HEAD, full, frame(data, 0, 1, '00')])));
    await until(() => reading.error !== undefined);
    expect(reading.error?.http2ErrorCode).toBe(3);
    await until(() => ofStream(rstStream).length > 0);
    expect(ofStream(rstStream)[0]?.payload.readUInt32BE(0)).toBe(3);
  });

  it('is taken to its end, also when that came while nobody took it', async () => {
    const reading = new Reading();
    reading.isTaking = false;
    const end = frame(headers, END_HEADERS | END_STREAM, 1, OK);
    await reading.start((say) =>
      say(Buffer.concat([GREETING, HEAD, frame(data, 0, 1, HALF), frame(data, 0, 1, HALF), end])),
    );
    await until(() => reading.bytes > 0);
    expect(reading.isEnded).toBe(false);
    reading.isTaking = true;
    reading.stream.resume();
    expect([reading.bytes, reading.isEnded]).toEqual([WINDOW, true]);
  });

  it('may come in as many tiny pieces as there are messages, but not in empty ones', async () => {
    const reading = new Reading();
    const tiny = Buffer.concat(new Array<Buffer>(5000).fill(frame(data, 0, 1, '00')));
    const empty = Buffer.concat(new Array<Buffer>(1100).fill(frame(data, 0, 1)));
    await reading.start((say) => say(Buffer.concat([GREETING, HEAD, tiny, empty])));
    await until(() => reading.error !== undefined);
    expect(reading.bytes).toBe(5000);
    await until(() => (target?.heard(goaway).length ?? 0) > 0);
    expect(target?.heard(goaway)[0]?.payload.readUInt32BE(4)).toBe(11);
  });
});

describe('the body of a stream', () => {
  it('waits for the window of the other side, and says when there is room', async () => {
    const reading = new Reading();
    let say: (bytes: Buffer) => void = () => {};
    // A window of 10 bytes for every stream.
    await reading.start((write) => (say = write)(frame(settings, 0, 0, '0004 0000000a')));
    await until(() => target?.heard(headers).length === 1);
    reading.body.push(Buffer.alloc(65_535 + 5));
    expect(reading.stream.send()).toBe(false);
    const sent = (): number => ofStream(data).reduce((sum, { payload }) => sum + payload.length, 0);
    await until(() => sent() > 0);
    say(Buffer.concat([frame(windowUpdate, 0, 1, '000f0000'), frame(windowUpdate, 0, 0, '000f0000')]));
    await until(() => reading.drains === 1);
    reading.body.end();
    expect(reading.stream.send()).toBe(true);
    await until(() => ofStream(data).some(({ flags }) => flags === END_STREAM));
    expect(sent()).toBe(65_535 + 5);
  });

  it('can begin again as long as all of it is kept', () => {
    const body = new StreamedBody();
    body.push(Buffer.alloc(KEPT_BYTES - 1, 'a'));
    body.take(Infinity);
    body.push(Buffer.from('b'));
    expect(body.rewind()).toBe(true);
    expect([body.available, body.take(Infinity).length, body.take(10).toString()]).toEqual([
      KEPT_BYTES,
      KEPT_BYTES - 1,
      'b',
    ]);
    body.push(Buffer.from('c'));
    expect(body.rewind()).toBe(false);
    expect([body.available, body.isSpent, body.take(1).toString()]).toEqual([1, false, 'c']);
    body.end();
    expect(body.isSpent).toBe(true);
  });
});
