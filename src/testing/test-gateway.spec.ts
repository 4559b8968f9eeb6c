import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { modules } from '../routes/index.ts';
import type { RunningGateway } from './running-gateway.ts';
import { startTestGateway } from './test-gateway.ts';

const CONFIG = {
  version: 1,
  modules: ['orders'],
  defaults: { policies: { authentication: { schemes: ['jwt', 'apiKey'] } } },
  identity: {
    issuers: [
      {
        issuer: 'https://id.example.com/',
        jwks: 'https://id.example.com/jwks',
        audiences: ['api'],
        claims: { roles: 'realm_access.roles', tenant: 'tid' },
      },
    ],
    apiKeys: [{ sha256: '0'.repeat(64), clientId: 'mobile', roles: ['user'] }],
  },
  upstreams: {
    users: { targets: ['http://users-1.internal', 'http://users-2.internal'], retry: { attempts: 1 } },
    orders: {
      protocol: 'grpc',
      descriptorSet: 'config/descriptors/shop.binpb',
      targets: ['grpc://orders.internal:9000'],
    },
  },
  routes: [
    {
      id: 'users',
      match: { path: '/users/*' },
      upstream: 'users',
      policies: { authorization: { anyRole: ['user'] } },
    },
  ],
};

describe(startTestGateway, () => {
  let gateway: RunningGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({
      config: CONFIG,
      modules,
      apiKeys: [{ clientId: 'partner', roles: ['guest'] }],
    });
  });
  afterEach(() => gateway.resetUpstreams());
  afterAll(() => gateway.stop());

  it('forwards to a fake, and tells it who calls', async () => {
    gateway.http('users').on('GET /users/{id}', ({ params }) => ({ body: { id: params['id'] } }));
    const ann = gateway.client(gateway.as({ id: 'ann', roles: ['user'], tenant: 'acme' }));
    const answer = await ann.get('/users/7');
    expect([answer.status, answer.json()]).toEqual([200, { id: '7' }]);
    expect(gateway.http('users').requests).toMatchObject([
      { path: '/users/7', headers: { 'x-user-id': 'ann', 'x-user-roles': 'user', 'x-tenant-id': 'acme' } },
    ]);
  });

  it('verifies who calls, as ever', async () => {
    const path = '/users/7';
    const forged = gateway.as({ id: 'ann', roles: ['user'] })['authorization']?.replace(/.{4}$/, 'AAAA');
    expect((await gateway.client({ authorization: String(forged) }).get(path)).problem?.code).toBe(
      'credentials-invalid',
    );
    const late = gateway.as({ id: 'ann', roles: ['user'], claims: { exp: 1 } });
    expect((await gateway.client(late).get(path)).problem?.code).toBe('credentials-expired');
    expect((await gateway.client().get(path)).problem).toMatchObject({
      status: 401,
      code: 'credentials-missing',
    });
    const guest = await gateway.client(gateway.as({ id: 'eve', roles: ['guest'] })).get(path);
    expect([guest.status, guest.problem?.code]).toEqual([403, 'permission-denied']);
    expect((await gateway.client(gateway.apiKey('partner')).get(path)).status).toBe(403);
    gateway.expectNoUpstreamCalls();
    gateway.http('users').on('/*', {});
    expect((await gateway.client(gateway.apiKey('mobile')).get(path)).status).toBe(200);
    expect(() => gateway.expectNoUpstreamCalls()).toThrow(
      'expected no calls of upstreams, 1 request came:\n  users  GET /users/7',
    );
  });

  it('runs the code of modules against fakes of gRPC', async () => {
    const order = { id: 'ord-1', status: 'ORDER_STATUS_PAID', createdAt: '2026-10-01T09:00:00Z' };
    gateway.grpc('orders').on('GetOrder', [{ message: { order } }, { grpcStatus: 'NOT_FOUND' }]);
    const ann = gateway.client(gateway.as({ id: 'ann' }));
    expect((await ann.get('/api/v1/orders/ord-1')).json()).toMatchObject({ id: 'ord-1', status: 'paid' });
    expect((await ann.get('/api/v1/orders/ord-2')).problem?.code).toBe('resource-not-found');
    expect(gateway.grpc('orders').calls('shop.v1.Orders/GetOrder')).toBe(2);
    expect(gateway.grpc('orders').requestsTo('GetOrder')[1]).toMatchObject({
      message: { id: 'ord-2' },
      headers: { 'x-user-id': 'ann' },
    });
  });
});
