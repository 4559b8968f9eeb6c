import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Server, ServerCredentials, status, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { Orders } from '../../routes/services/gen/shop/v1/orders_pb.ts';
import type { Problem } from '../../problems/problem.ts';
import { CallBed, exchangeFor } from './call.fixture.ts';
import { grpcFault } from './grpc-faults.ts';

const TABLE = [
  ['CANCELLED', 'upstream-unreachable', 502, 'healthy'],
  ['UNKNOWN', 'upstream-rejected', 502, 'failing'],
  ['INVALID_ARGUMENT', 'request-invalid', 400, 'healthy'],
  ['DEADLINE_EXCEEDED', 'upstream-timeout', 504, 'failing'],
  ['NOT_FOUND', 'resource-not-found', 404, 'healthy'],
  ['ALREADY_EXISTS', 'conflict', 409, 'healthy'],
  ['PERMISSION_DENIED', 'permission-denied', 403, 'healthy'],
  ['RESOURCE_EXHAUSTED', 'upstream-exhausted', 429, 'healthy'],
  ['FAILED_PRECONDITION', 'request-invalid', 400, 'healthy'],
  ['ABORTED', 'conflict', 409, 'healthy'],
  ['OUT_OF_RANGE', 'request-invalid', 400, 'healthy'],
  ['UNIMPLEMENTED', 'not-implemented', 501, 'healthy'],
  ['INTERNAL', 'upstream-rejected', 502, 'failing'],
  ['UNAVAILABLE', 'upstream-unreachable', 502, 'failing'],
  ['DATA_LOSS', 'upstream-response-invalid', 502, 'failing'],
  ['UNAUTHENTICATED', 'upstream-rejected', 502, 'healthy'],
] as const;

const SECRET = 'SELECT * FROM orders failed on db-7.internal';

describe(grpcFault.name, () => {
  const server = new Server();
  let origin: string;

  beforeAll(async () => {
    const definition = {
      getOrder: {
        path: '/shop.v1.Orders/GetOrder',
        requestStream: false as const,
        responseStream: false as const,
        requestSerialize: (bytes: Buffer) => bytes,
        // The id of the order that is asked for is the name of the status: field 1, length, text.
        requestDeserialize: (bytes: Buffer) => bytes.subarray(2).toString() as keyof typeof status,
        responseSerialize: (bytes: Buffer) => bytes,
        responseDeserialize: (bytes: Buffer) => bytes,
      },
    };
    server.addService(definition, {
      getOrder: ({ request }: ServerUnaryCall<keyof typeof status, Buffer>, reply: sendUnaryData<Buffer>) => {
        if (request in status) reply({ code: status[request], details: SECRET });
        else reply({ code: Number(request), details: SECRET });
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    origin = `grpc://127.0.0.1:${port}`;
  });

  afterAll(() => server.forceShutdown());

  async function ask(
    name: string,
  ): Promise<{ problem: Problem; outcome: string | undefined; opened: boolean }> {
    const bed = new CallBed({
      orders: { protocol: 'grpc', targets: [origin], circuitBreaker: { consecutiveFailures: 1 } },
    });
    const exchange = exchangeFor();
    const orders = bed.upstreams.get('orders');
    const problem = await bed.grpc
      .unary(orders, Orders.method.getOrder, { id: name }, { exchange, timeoutMs: Infinity })
      .then(
        () => Promise.reject(new Error('there is no problem')),
        (error: unknown) => error as Problem,
      );
    const opened = orders.targets[0]?.available === false;
    await bed.close();
    return { problem, outcome: exchange.attempts[0]?.outcome, opened };
  }

  it.each(TABLE)('turns %s into %s %i and leaves the target %s', async (name, code, httpStatus, health) => {
    const { problem, outcome, opened } = await ask(name);
    expect([problem.code, problem.status, outcome]).toEqual([code, httpStatus, name]);
    expect(opened).toBe(health === 'failing');
  });

  it('has a row for every status but OK', () => {
    const names = Object.keys(status).filter((name) => Number.isNaN(Number(name)) && name !== 'OK');
    expect(TABLE.map(([name]) => name).toSorted()).toEqual(names.toSorted());
  });

  it('takes a status that does not exist for UNKNOWN', async () => {
    expect((await ask('99')).problem.code).toBe('upstream-rejected');
    expect((await ask('99')).outcome).toBe('UNKNOWN');
  });

  it('keeps the text of the service for the log', async () => {
    const { problem } = await ask('INVALID_ARGUMENT');
    expect(problem.message).not.toContain('SELECT');
    expect(problem.detail).toBeUndefined();
    expect(String(problem.cause)).toContain(SECRET);
  });

  it('says what a retry calls it, and whether the call has certainly had no effect', () => {
    const faultOf = (code: status, details: string) => grpcFault({ code, details }, 'upstream-timeout');
    const dropped = faultOf(status.UNAVAILABLE, 'Connection dropped');
    expect([dropped.retry, dropped.untouched]).toEqual(['UNAVAILABLE', false]);
    const unsent = faultOf(status.UNAVAILABLE, 'No connection established. Last error: …');
    expect([unsent.retry, unsent.untouched]).toEqual(['connect', true]);
    const internal = faultOf(status.INTERNAL, '');
    expect([internal.retry, internal.untouched]).toEqual(['INTERNAL', false]);
  });

  it('blames the answer, not the caller, when it is too large to be read', () => {
    const local = { code: status.RESOURCE_EXHAUSTED, details: 'Received message larger than max (9 vs 4)' };
    expect(grpcFault(local, 'upstream-timeout').code).toBe('upstream-response-invalid');
  });
});
