import { create } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import * as pb from '../../src/routes/services/gen/shop/v1/notifications_pb.ts';
import type { GrpcService } from './grpc-service.ts';
import { startNotifications } from './notifications.ts';
import { unaryCall, type UnaryCallOptions } from './unary-call.ts';

let service: GrpcService;
beforeEach(async () => {
  service = await startNotifications();
});
afterEach(() => service.stop());

const call = (options: UnaryCallOptions = {}): Promise<pb.GetUnreadResponse> =>
  unaryCall(service.url, pb.Notifications.method.getUnread, create(pb.GetUnreadRequestSchema), {
    metadata: { 'x-user-id': '2' },
    ...options,
  });

describe('GrpcService', () => {
  it('counts calls and records metadata and what is left until the deadline', async () => {
    await call({ metadata: { 'x-user-id': '2', traceparent: '00-1-2-03' }, timeoutMs: 60_000 });
    expect(service.requests).toMatchObject({ total: 1, by: { 'shop.v1.Notifications/GetUnread': 1 } });
    expect(service.lastCall?.operation).toBe('shop.v1.Notifications/GetUnread');
    expect(service.lastCall?.metadata.get('traceparent')).toEqual(['00-1-2-03']);
    expect(service.lastCall?.remainingMs).toBeLessThanOrEqual(60_000);
    expect(service.lastCall?.remainingMs).toBeGreaterThan(0);
  });

  it('records that there is no deadline', async () => {
    await call();
    expect(service.lastCall?.remainingMs).toBe(Infinity);
  });
});

describe('the faults of a GrpcService', () => {
  it.each([
    ['fail', status.INTERNAL],
    ['unavailable', status.UNAVAILABLE],
  ] as const)('%s answers status %i', async (mode, code) => {
    await service.fault(mode);
    await expect(call()).rejects.toMatchObject({ code });
    expect(service.requests.total).toBe(1);
    await service.fault('none');
    expect((await call()).unread).toBe(7);
  });

  it('garbage answers bytes that do not decode', async () => {
    await service.fault('garbage');
    await expect(call()).rejects.toMatchObject({
      code: status.INTERNAL,
      details: expect.stringContaining('Response message parsing error'),
    });
  });

  it('slow answers the same, later', async () => {
    await service.fault({ slow: 60 });
    const before = performance.now();
    expect((await call()).unread).toBe(7);
    // Timers may fire a millisecond early.
    expect(performance.now() - before).toBeGreaterThanOrEqual(58);
  });

  it('slow counts a caller whose deadline passes', async () => {
    await service.fault({ slow: 60_000 });
    await expect(call({ timeoutMs: 200 })).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
    while (service.requests.aborted === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(service.requests).toMatchObject({ total: 1, aborted: 1 });
  });

  it('dead refuses connections and destroys open ones, none listens on the same port again', async () => {
    await service.fault({ slow: 60_000 });
    const { port } = service;
    const waiting = expect(call()).rejects.toMatchObject({ code: status.UNAVAILABLE });
    while (service.requests.total === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    await service.fault('dead');
    await waiting;
    await expect(call()).rejects.toMatchObject({ code: status.UNAVAILABLE });
    await service.fault('none');
    expect(service.port).toBe(port);
    expect((await call()).unread).toBe(7);
  });

  it('names service and port in one line when the port is taken', async () => {
    await expect(startNotifications({ port: service.port })).rejects.toMatchObject({
      message: `sample service notifications: port ${service.port} is already in use`,
    });
  });
});
