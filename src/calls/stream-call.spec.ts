import { create, toBinary } from '@bufbuild/protobuf';
import { Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startNotifications, type NotificationsService } from '../../examples/services/notifications.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import { CallBed, exchangeFor, problemOf, until } from '../upstreams/grpc/call.fixture.ts';
import { CallLog } from './call-log.ts';
import { Caller } from './caller.ts';
import { Notifications, WatchResponseSchema } from '../routes/services/gen/shop/v1/notifications_pb.ts';
import { grpcUpstream } from './grpc-upstream.ts';
import { watchNotifications } from '../routes/services/notifications.calls.ts';
import { followCalls } from './reuse/call-memory.ts';

let service: NotificationsService;
let bed: CallBed;
let caller: Caller;
let exchange: Exchange;

beforeEach(async () => {
  service = await startNotifications();
  use(service.url);
});
afterEach(async () => {
  await bed.close();
  await service.stop();
});

function use(...targets: string[]): void {
  bed = new CallBed({
    notifications: { protocol: 'grpc', targets, timeouts: { firstByte: '300ms' } },
  });
  caller = new Caller(bed.upstreams, bed.http, bed.grpc);
  exchange = exchangeFor();
}

const watch = (input: { backlog?: number; count?: number; userId?: string } = {}, at: Exchange = exchange) =>
  caller.stream(watchNotifications, input, { exchange: at });

async function all<Item>(stream: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

describe('a call of a server stream', () => {
  it('yields decoded messages and ends with the stream', async () => {
    const texts = (await all(watch({ backlog: 2, count: 2 }))).map(({ id, unread }) => [id, unread]);
    expect(texts).toEqual([
      ['ntf-2-6', 6],
      ['ntf-2-7', 7],
    ]);
    expect(exchange.attempts).toMatchObject([{ target: service.url.slice('grpc://'.length), outcome: 'OK' }]);
    expect(exchange.upstream).toBe('notifications');
  });

  it('travels with the identity and the trace of its exchange, and without a deadline', async () => {
    await all(watch({ backlog: 1, count: 1 }));
    const { metadata, remainingMs } = service.lastCall as NonNullable<typeof service.lastCall>;
    expect(metadata.get('x-user-id')).toEqual(['2']);
    expect(metadata.get('x-request-id')).toEqual(['request-1']);
    expect(metadata.get('traceparent')[0]).toMatch(/^00-a{32}-/);
    expect(remainingMs).toBe(Infinity);
  });

  it('hears of what happens while it is open, each caller over a stream of its own', async () => {
    const [mine, theirs] = [watch(), watch({}, exchangeFor())];
    const heard = Promise.all([mine.next(), theirs.next()]);
    await until(() => service.watchers === 2);
    service.notify('2', 'hello');
    expect((await heard).map(({ value }) => value?.text)).toEqual(['hello', 'hello']);
    expect(service.requests.by['shop.v1.Notifications/Watch']).toBe(2);
    await Promise.all([mine.return?.(), theirs.return?.()]);
  });

  it('asks nobody before the first value is wanted', async () => {
    const stream = watch();
    await stream.return?.();
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(service.requests.total).toBe(0);
  });

  it('is cancelled at the service when the caller leaves', async () => {
    for await (const { text } of watch({ backlog: 1 })) {
      expect(text).not.toBe('');
      expect(service.watchers).toBe(1);
      break;
    }
    await until(() => service.watchers === 0);
    expect(exchange.attempts[0]?.outcome).toBe('client-closed');
  });

  it('keeps its target busy while it is open', async () => {
    const [target] = bed.upstreams.get('notifications').targets;
    const stream = watch({ backlog: 1 });
    await stream.next();
    expect(target?.inFlight).toBe(1);
    await stream.return?.();
    expect(target?.inFlight).toBe(0);
    await all(watch({ backlog: 1, count: 1 }));
    expect(target?.inFlight).toBe(0);
  });

  it('is cancelled before it is open, and says nothing of the target then', async () => {
    await service.fault({ slow: 60_000 });
    const stream = watch();
    const first = stream.next();
    await until(() => service.requests.total === 1);
    await stream.return?.();
    expect(await first).toEqual({ done: true, value: undefined });
    await until(() => service.requests.aborted === 1);
    expect(exchange.attempts[0]?.outcome).toBe('client-closed');
  });

  it('ends with its exchange', async () => {
    const next = watch().next();
    await until(() => service.watchers === 1);
    exchange.cancel(new Problem('client-closed'));
    expect(await problemOf(next)).toBe('client-closed');
    await until(() => service.watchers === 0);
  });

  it('becomes the problem of the status when the service refuses', async () => {
    expect(await problemOf(watch({ userId: '4' }).next())).toBe('permission-denied');
    expect(await problemOf(watch({ backlog: -1 }).next())).toBe('request-invalid');
    await service.fault('fail');
    expect(await problemOf(watch().next())).toBe('upstream-rejected');
    await service.fault('garbage');
    expect(await problemOf(watch().next())).toBe('upstream-response-invalid');
  });

  it('is asked of another target while none has opened, and not after the first message', async () => {
    const other = await startNotifications();
    await other.fault('unavailable');
    use(other.url, service.url);
    // One of two in turn meets the other target first.
    for (const at of [exchangeFor(), exchangeFor()]) {
      await all(watch({ backlog: 1, count: 1 }, at));
      if (at.attempts.length === 1) break;
    }
    other.requests.reset();
    const stream = watch({ backlog: 1 });
    expect((await stream.next()).value?.id).toBe('ntf-2-7');
    expect(exchange.attempts.map(({ outcome }) => outcome)).toEqual(['UNAVAILABLE', 'OK']);
    const next = problemOf(stream.next());
    await other.fault('none');
    await service.fault('dead');
    expect(await next).toBe('upstream-unreachable');
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(exchange.attempts).toHaveLength(2);
    expect(other.requests.total).toBe(1);
    await other.stop();
  });

  it('ends with upstream-response-invalid for a message that its decoder cannot use', async () => {
    const call = grpcUpstream('notifications').serverStream('test.odd', Notifications.method.watch, {
      decode: ({ unread }) => {
        if (unread === 7) throw new Error('seven');
        return unread;
      },
    });
    const stream = caller.stream(call, { backlog: 2 }, { exchange });
    expect(await stream.next()).toEqual({ done: false, value: 6 });
    expect(await problemOf(stream.next())).toBe('upstream-response-invalid');
    await until(() => service.watchers === 0);
  });

  it('ends after the silence that it allows', async () => {
    const call = grpcUpstream('notifications').serverStream('test.idle', Notifications.method.watch, {
      idle: '150ms',
    });
    const stream = caller.stream(call, { backlog: 1 }, { exchange });
    expect((await stream.next()).done).toBe(false);
    expect(await problemOf(stream.next())).toBe('upstream-timeout');
    const options = { idle: 'soon' as '1s' };
    expect(() => grpcUpstream('x').serverStream('x.y', Notifications.method.watch, options)).toThrow(
      'the call x.y: `idle`: expected a duration such as 30s, got "soon"',
    );
  });
});

describe('a log of the streams of an exchange', () => {
  const follow = (most?: number): CallLog => {
    const log = new CallLog(() => 'here', most);
    followCalls(exchange, log);
    return log;
  };

  it('tells a stream from its first value to its last', async () => {
    const log = follow();
    const stream = watch({ backlog: 2, count: 2 });
    const [record] = log.streams;
    expect(record).toMatchObject({
      call: 'notifications.watch',
      upstream: 'notifications',
      protocol: 'grpc',
      place: 'here',
      openedAtMs: undefined,
      outcome: undefined,
    });
    const before = Date.now();
    await stream.next();
    expect(record).toMatchObject({ values: 1, outcome: undefined });
    expect(record?.openedAtMs).toBeGreaterThanOrEqual(before);
    expect(await all(stream)).toHaveLength(1);
    expect(record).toMatchObject({ values: 2, outcome: 'ok' });
    expect(log.records).toEqual([]);
  });

  it('tells who ended it: who read it, or what broke it', async () => {
    const log = follow();
    await watch().return?.();
    for await (const one of watch({ backlog: 1 })) if (one.id !== '') break;
    await until(() => service.watchers === 0);
    const broken = watch({ userId: '4' });
    expect(await problemOf(broken.next())).toBe('permission-denied');
    expect(await broken.next()).toEqual({ done: true, value: undefined });
    expect(log.streams.map(({ outcome, values }) => [outcome, values])).toEqual([
      ['left', 0],
      ['left', 1],
      ['permission-denied', 0],
    ]);
    expect(log.streams[0]?.openedAtMs).toBeUndefined();
  });

  it('keeps the latest, and counts the others', async () => {
    const log = follow(2);
    for (const count of [1, 2, 3]) await all(watch({ backlog: count, count }));
    expect([log.streams.map(({ values }) => values), log.more.streams]).toEqual([[2, 3], 1]);
  });

  it('hears nothing of other exchanges', async () => {
    const log = follow();
    await all(watch({ backlog: 1, count: 1 }, exchangeFor()));
    expect(log.streams).toEqual([]);
  });
});

describe('a service that sends no head before its first message', () => {
  let server: Server;
  let calls: ServerWritableStream<Buffer, Buffer>[];
  let written = 0;

  beforeEach(async () => {
    calls = [];
    server = new Server();
    const asIs = (bytes: Buffer): Buffer => bytes;
    const watchMethod = {
      path: '/shop.v1.Notifications/Watch',
      requestStream: false,
      responseStream: true,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    } as const;
    server.addService(
      { watch: watchMethod },
      {
        watch: (call: ServerWritableStream<Buffer, Buffer>) => void calls.push(call),
      },
    );
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    await bed.close();
    use(`grpc://127.0.0.1:${port}`);
  });
  afterEach(() => server.forceShutdown());

  const message = (text: string): Buffer =>
    Buffer.from(toBinary(WatchResponseSchema, create(WatchResponseSchema, { notification: { text } })));

  it('is waited for longer than for the first byte of an answer', async () => {
    const next = watch().next();
    await until(() => exchange.attempts[0]?.outcome === 'OK');
    calls[0]?.write(message('late'));
    expect((await next).value?.text).toBe('late');
  });

  it('is held back by a subscriber that reads slowly', async () => {
    const stream = watch();
    const first = stream.next();
    await until(() => calls.length === 1);
    const call = calls[0] as ServerWritableStream<Buffer, Buffer>;
    const large = message('x'.repeat(200_000));
    // Writes until the flow control of HTTP/2 says stop, and then some.
    for (written = 0; written < 200 && call.write(large); written += 1)
      await new Promise((resolve) => setTimeout(resolve, 2));
    expect(written).toBeLessThan(200);
    expect((await first).done).toBe(false);
    const sent = written + 1;
    call.end();
    expect((await all(stream)).length).toBe(sent - 1);
  });
});
