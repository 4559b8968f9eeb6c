import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Metadata } from '@grpc/grpc-js';
import { once } from 'node:events';
import { createServer, type Http2Server, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { CallBed, exchangeFor, problemOf, until } from './call.fixture.ts';
import { cancelCall } from './cancel-call.ts';
import { CALLS_PER_CHANNEL, GrpcChannels } from './grpc-channel.ts';
import { MessageStream } from './message-stream.ts';
import { SingleMessage } from './single-message.ts';
import { asIs, StreamRun } from './stream-run.ts';
import { framed } from './unary-wire.ts';

const GRPC = { ':status': 200, 'content-type': 'application/grpc' };

/** A service that answers each call with one message and leaves it open, 100 on a connection. */
let server: Http2Server;
let sessions: Set<Http2Session>;
let connections: number;
let streams: ServerHttp2Stream[];
let bed: CallBed;
let channels: GrpcChannels;

beforeEach(async () => {
  sessions = new Set();
  connections = 0;
  streams = [];
  server = createServer({ settings: { maxConcurrentStreams: 100 } });
  server.on('session', (session) => {
    connections += 1;
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
  });
  server.on('stream', (stream: ServerHttp2Stream) => {
    streams.push(stream);
    stream.on('error', () => undefined).on('close', () => streams.splice(streams.indexOf(stream), 1));
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.respond(GRPC, { waitForTrailers: true });
    stream.write(framed(Buffer.from('first')));
    stream.resume();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});
afterEach(async () => {
  for (const stream of streams) stream.close();
  channels.close();
  await bed.close();
  server.close();
  await once(server, 'close');
});

function open(options: object = {}, idleMs?: number): void {
  const { port } = server.address() as AddressInfo;
  bed = new CallBed({ held: { protocol: 'grpc', targets: [`grpc://127.0.0.1:${port}`], ...options } });
  channels = new GrpcChannels(idleMs);
}

/** A stream like those of calls. */
function watch(message: Buffer = Buffer.alloc(0)): MessageStream<string> {
  return new MessageStream({
    decode: String,
    call: (taker) => {
      const parts = {
        exchange: exchangeFor(),
        upstream: bed.upstreams.get('held'),
        metadata: new Metadata(),
        channels,
        metrics: bed.metrics,
        path: '/held.Streams/Watch',
        idempotent: true,
        patient: true,
        idleMs: Infinity,
      };
      return new StreamRun(parts, new SingleMessage(message), taker);
    },
  });
}

/** Opens streams and waits for the first message of each. */
async function hold(count: number, message?: Buffer): Promise<readonly MessageStream<string>[]> {
  const held = Array.from({ length: count }, () => watch(message));
  const first = await Promise.all(held.map((stream) => stream.next()));
  expect(first).toEqual(Array.from({ length: count }, () => ({ done: false, value: 'first' })));
  return held;
}

/** Neither fewer nor more calls fit on the first connection than are said to. */
async function expectRoomFor(count: number): Promise<void> {
  await hold(count);
  expect(connections).toBe(1);
  await hold(1);
  expect(connections).toBe(2);
}

describe(GrpcChannels.name, () => {
  it('opens a second connection for more streams than fit on one, and closes it once they have ended', async () => {
    open({}, 50);
    const held = await hold(150);
    expect(connections).toBe(2);
    expect(streams).toHaveLength(150);
    for (const stream of streams) stream.end();
    expect(await Promise.all(held.map((stream) => stream.next()))).toEqual(
      held.map(() => ({ done: true, value: undefined })),
    );
    await until(() => sessions.size === 1);
    // The first one stays, and both are there again when they are needed.
    await hold(150);
    expect(connections).toBe(3);
  });

  it('opens no more than maxConnections; what is too much waits for a place', async () => {
    open({ maxConnections: 2 });
    await hold(200);
    const late = watch();
    const first = late.next();
    expect(await Promise.race([first, sleep(100)])).toBeUndefined();
    expect(connections).toBe(2);
    expect(streams).toHaveLength(200);
    for (const stream of streams) stream.end();
    expect(await first).toEqual({ done: false, value: 'first' });
    expect(connections).toBe(2);
  });

  it('gives the place of a cancelled stream to another one, once', async () => {
    open();
    const held = await hold(10);
    for (const stream of held.slice(0, 5)) await stream.return();
    await until(() => streams.length === 5);
    await expectRoomFor(CALLS_PER_CHANNEL - 5);
  });

  it('gives the place of a failed stream to another one, once', async () => {
    open();
    const held = await hold(10);
    for (const stream of streams.slice(0, 5)) stream.close(2);
    const after = held.map((stream) => problemOf(stream.next()));
    const failed = await Promise.all(after.slice(0, 5));
    expect(new Set(failed)).not.toContain('no problem');
    await expectRoomFor(CALLS_PER_CHANNEL - 5);
  });

  it('gives back the places of calls that end in the turn that made them', async () => {
    open();
    const target = bed.upstreams.get('held').targets[0];
    if (target === undefined) throw new Error('the upstream has a target');
    const make = (deadline: number) =>
      channels.call(target, 256, (client) =>
        client.makeBidiStreamRequest('/held.Streams/Watch', asIs, asIs, new Metadata(), { deadline }),
      );
    const calls = [
      ...Array.from({ length: 50 }, () => make(Date.now() - 1)),
      ...Array.from({ length: 50 }, () => make(Infinity)),
    ];
    const statuses = calls.map(
      (call) => new Promise((ended) => call.on('error', () => undefined).once('status', ended)),
    );
    for (const call of calls.slice(50)) cancelCall(call);
    await Promise.all(statuses);
    const broken = () =>
      channels.call(target, 256, () => {
        throw new Error('no call');
      });
    expect(broken).toThrow('no call');
    await expectRoomFor(CALLS_PER_CHANNEL);
  });
});

describe('the channels of an upstream that wants gzip', () => {
  it('compress what they send', async () => {
    let encoding: unknown;
    const bodies: Buffer[] = [];
    server.on('stream', (stream: ServerHttp2Stream, headers) => {
      encoding = headers['grpc-encoding'];
      stream.on('data', (bytes: Buffer) => bodies.push(bytes));
    });
    open({ compression: 'gzip' });
    const message = Buffer.alloc(5000, 'again and ');
    const [stream] = await hold(1, message);
    await until(() => bodies.length > 0);
    const sent = Buffer.concat(bodies);
    expect([encoding, sent[0], gunzipSync(sent.subarray(5)).equals(message)]).toEqual(['gzip', 1, true]);
    await stream?.return();
  });
});
