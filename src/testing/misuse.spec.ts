import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { modules } from '../routes/index.ts';
import { FakeHttp } from './fakes/fake-http.ts';
import type { RunningGateway } from './running-gateway.ts';
import { startTestGateway, type TestGatewayOptions } from './test-gateway.ts';

const CONFIG = {
  version: 1,
  modules: ['orders'],
  defaults: { policies: { authentication: { schemes: ['jwt', 'apiKey'] } } },
  identity: {
    issuers: [{ issuer: 'https://id.test/', jwks: 'https://id.test/jwks', audiences: ['api'] }],
    apiKeys: [{ sha256: '0'.repeat(64), clientId: 'mobile' }],
  },
  upstreams: {
    users: { targets: ['http://users.internal'] },
    orders: { protocol: 'grpc', targets: ['grpc://orders.internal'] },
  },
};

describe('a gateway that cannot be started', () => {
  const bare = { version: 1, defaults: { policies: { authentication: 'public' } } };
  it.each<[string, Partial<TestGatewayOptions>, string]>([
    [
      'a faulty configuration',
      { config: { version: 1, upstream: {} } },
      'did you mean "upstreams"?',
    ],
    [
      'a module that is not offered',
      { config: { ...CONFIG, modules: ['order'] } },
      'did you mean "orders"?',
    ],
    ['a file that there is not', { config: 'none/gateway.yaml' }, 'none/gateway.yaml  no such file'],
    ['no configuration', { config: [] }, 'expected `config`: a file such as gateway.yaml'],
    [
      'an upstream of another name',
      { upstreams: { user: 'http://127.0.0.1:1' } },
      'there is no upstream "user"; did you mean "users"?',
    ],
    [
      'what is no URL',
      { upstreams: { users: 'users' } },
      'the upstream "users": expected a URL such as http://127.0.0.1:4101, given "users"',
    ],
    ['a key that is there', { apiKeys: [{ clientId: 'mobile' }] }, 'there is a key of "mobile" already'],
    ['a key for nobody', { config: bare, apiKeys: [{ clientId: 'x' }] }, 'the configuration has no `identity`'],
    ['a variable that is none', { environment: { PORT: 'ten' } }, 'expected a port number'],
  ])('because of %s says so', async (_what, options, message) => {
    await expect(startTestGateway({ config: CONFIG, modules, ...options })).rejects.toThrow(message);
  }); // prettier-ignore

  it('because of a fake that speaks something else says so', async () => {
    const users = await FakeHttp.start('users');
    const starting = startTestGateway({ config: CONFIG, modules, upstreams: { orders: users } });
    await expect(starting).rejects.toThrow(
      'the upstream "orders" speaks grpc, and the fake that is given for it does not',
    );
    await users.stop();
  });

  it('leaves nothing behind', async () => {
    const before = { Date, setTimeout, env: { ...process.env } };
    const identity = {
      issuers: [{ issuer: 'x', secretEnv: 'SECRET_OF_NOBODY', algorithms: ['HS256'], audiences: ['a'] }],
    };
    const config = { ...CONFIG, identity, modules: ['nothing'] };
    await expect(startTestGateway({ config, clock: true })).rejects.toThrow('there is no module "nothing"');
    expect({ Date, setTimeout, env: { ...process.env } }).toEqual(before);
  });
});

describe('a gateway that is asked for what it has not', () => {
  let gateway: RunningGateway;
  const before = { ...process.env };
  beforeAll(async () => {
    const upstreams = { users: 'http://127.0.0.1:1' };
    gateway = await startTestGateway({ config: CONFIG, modules, upstreams });
  });
  afterAll(async () => {
    await gateway.stop();
    await gateway.stop();
    expect({ ...process.env }).toEqual(before);
  });

  it.each<[string, (gateway: RunningGateway) => unknown, string]>([
    ['an upstream', (one) => one.http('user'), 'there is no upstream "user"; did you mean "users"?'],
    ['a fake', (one) => one.http('users'), 'is a server that the test has named, and no fake'],
    ['another protocol', (one) => one.http('orders'), `speaks gRPC: call grpc('orders')`],
    ['a schema', (one) => one.grpc('orders').on('GetOrder', {}), 'nothing describes the services of orders'],
    ['a client', (one) => one.apiKey('mobil'), 'there is no API key of a client "mobil"; did you mean "mobile"?'],
    ['an issuer', (one) => one.as({ id: '1', issuer: 'https://id.tes/' }), 'did you mean "https://id.test/"?'],
    ['nobody', (one) => one.as({ id: '' }), 'expected an id, such as as({ id: "7", roles: ["user"] })'],
    ['a span', (one) => one.as({ id: '1', expiresIn: 'soon' }), 'expected a duration such as 250ms or 30s'],
    ['a log-in', (one) => one.session({ sub: '1' }), 'the configuration has no identity.login'],
    ['introspection', (one) => one.introspected({}), 'the configuration has no identity.introspection'],
    ['a clock', (one) => one.clock, 'time is real here'],
  ])('%s says so', (_what, act, message) => {
    expect(() => act(gateway)).toThrow(message);
  }); // prettier-ignore

  it('a path, or JSON, says so', async () => {
    const client = gateway.client();
    await expect(async () => client.get('users')).rejects.toThrow(
      'expected a path such as /users/7, given "users"',
    );
    const answer = await client.get('/docs');
    expect(() => answer.json()).toThrow('the answer is no JSON: 200, text/html');
  });
});
