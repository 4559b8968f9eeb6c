import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { create, toBinary } from '@bufbuild/protobuf';
import { anyPack, AnySchema, type Any, durationFromMs } from '@bufbuild/protobuf/wkt';
import { Metadata, status } from '@grpc/grpc-js';
import {
  BadRequestSchema,
  DebugInfoSchema,
  ErrorInfoSchema,
  LocalizedMessageSchema,
  RetryInfoSchema,
} from '../../src/upstreams/grpc/gen/google/rpc/error_details_pb.ts';
import { StatusSchema } from '../../src/upstreams/grpc/gen/google/rpc/status_pb.ts';
import { call } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { KindsServer } from '../support/kinds-server.ts';

let server: KindsServer;
let gateway: TestGateway;

beforeAll(async () => {
  server = await new KindsServer().start();
  gateway = await startGateway({
    config: `
version: 1
identity: { apiKeys: [{ sha256: ${'a'.repeat(64)}, clientId: app }] }
upstreams:
  kinds: { protocol: grpc, descriptorSet: proto/test/kinds.binpb, targets: ['${server.url}'], circuitBreaker: off }
routes:
  - { id: kinds, upstream: kinds, grpc: { service: test.v1.Kinds }, policies: { authentication: public } }
`,
  });
});
beforeEach(() => server.reset());
afterAll(async () => {
  await gateway.stop();
  server.stop();
});

function refuse(code: status, details: Any[], raw?: Buffer): void {
  const metadata = new Metadata();
  const whole = toBinary(StatusSchema, create(StatusSchema, { code, message: 'secret of db-7', details }));
  metadata.set('grpc-status-details-bin', raw ?? Buffer.from(whole));
  server.refusal = { code, details: 'secret of db-7', metadata };
}

const NESTED = 'nested.deep.id';
const everything = [
  anyPack(
    BadRequestSchema,
    create(BadRequestSchema, {
      fieldViolations: [
        { field: 'int32_value', description: 'must be even' },
        { field: 'nested_list[2].name', description: 'is taken' },
        { field: NESTED, description: '', localizedMessage: { locale: 'de', message: 'ist vergeben' } },
        { field: 'counts["a/b"]', description: 'is odd' },
      ],
    }),
  ),
  anyPack(RetryInfoSchema, create(RetryInfoSchema, { retryDelay: durationFromMs(2500) })),
  anyPack(
    ErrorInfoSchema,
    create(ErrorInfoSchema, { reason: 'STOCK_EMPTY', domain: 'shop.example', metadata: { host: 'db-7' } }),
  ),
  anyPack(LocalizedMessageSchema, create(LocalizedMessageSchema, { locale: 'en', message: 'Sold out.' })),
  anyPack(
    DebugInfoSchema,
    create(DebugInfoSchema, { stackEntries: ['secret stack'], detail: 'secret detail' }),
  ),
  create(AnySchema, { typeUrl: 'type.googleapis.com/shop.Unknown', value: Uint8Array.of(1) }),
];

describe('google.rpc.Status', () => {
  it.each([
    ['/test/items/a', 'unary'],
    ['/test/count/2', 'a stream that has not begun'],
  ])('becomes a problem with pointers, Retry-After, reason and detail: %s, %s', async (path) => {
    refuse(status.FAILED_PRECONDITION, everything);
    const answer = await call(gateway.url + path);
    expect(answer.status).toBe(400);
    expect(answer.headers['retry-after']).toBe('3');
    expect(answer.json()).toMatchObject({
      code: 'request-invalid',
      detail: 'Sold out.',
      reason: 'STOCK_EMPTY',
      domain: 'shop.example',
    });
    expect(answer.text).not.toMatch(/secret|db-7/);
  });

  it('names the fields as JSON does', async () => {
    refuse(status.INVALID_ARGUMENT, everything);
    expect((await call(`${gateway.url}/test/items/a`)).json()['errors']).toEqual([
      { pointer: '/int32Value', message: 'must be even' },
      { pointer: '/nestedList/2/name', message: 'is taken' },
      { pointer: '/nested/deep/id', message: 'ist vergeben' },
      { pointer: '/counts/a~1b', message: 'is odd' },
    ]);
  });

  it('points into the body that was sent when it is one field of the message', async () => {
    refuse(status.INVALID_ARGUMENT, everything);
    const path = `${gateway.url}/test/shelves/shelves/1/books/2`;
    const headers = { 'content-type': 'application/json' };
    const answer = await call(path, { method: 'PATCH', headers, body: '{}' });
    expect(answer.json()['errors']).toMatchObject([{}, {}, { pointer: '/deep/id' }, {}]);
  });

  it.each([
    [status.NOT_FOUND, 404, 'resource-not-found'],
    [status.ALREADY_EXISTS, 409, 'conflict'],
    [status.PERMISSION_DENIED, 403, 'permission-denied'],
    [status.RESOURCE_EXHAUSTED, 429, 'upstream-exhausted'],
    [status.UNIMPLEMENTED, 501, 'not-implemented'],
    [status.UNAUTHENTICATED, 502, 'upstream-rejected'],
    [status.INTERNAL, 502, 'upstream-rejected'],
  ])('answers %i without details with %i %s and no text of the service', async (code, http, problem) => {
    server.refusal = { code, details: 'secret of db-7' };
    const answer = await call(`${gateway.url}/test/items/a`);
    expect([answer.status, answer.json()['code'], answer.text.includes('secret')]).toEqual([
      http,
      problem,
      false,
    ]);
    expect(answer.json()).not.toHaveProperty('detail');
  });

  it('passes over details that cannot be read', async () => {
    refuse(status.NOT_FOUND, [], Buffer.from([0x1a, 0xff]));
    expect((await call(`${gateway.url}/test/items/a`)).status).toBe(404);
  });
});
