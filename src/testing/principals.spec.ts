import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Fields } from './principals.ts';
import type { RunningGateway } from './running-gateway.ts';
import { startTestGateway } from './test-gateway.ts';

const ISSUER = 'https://id.example.com/';

describe('those who call', () => {
  let gateway: RunningGateway;
  beforeAll(async () => {
    gateway = await startTestGateway({
      config: {
        version: 1,
        defaults: { policies: { authentication: { schemes: ['jwt', 'session', 'introspection'] } } },
        identity: {
          issuers: [
            {
              issuer: 'https://other.example.com/',
              secretEnv: 'SECRET_OF_OTHER',
              audiences: ['api', 'b'],
              typ: 'at+jwt',
              claims: { roles: ['realm.roles', 'groups'], email: 'https://x.example.com/email', tier: 'plan' },
            },
            { issuer: 'https://second.example.com/', discovery: true, audiences: ['second'] },
          ],
          revocation: {},
          introspection: {
            issuer: ISSUER,
            url: 'https://id.example.com/introspect',
            clientId: 'gateway',
            clientSecretEnv: 'SECRET_OF_INTROSPECTION',
            audiences: ['api'],
          },
          login: {
            issuer: ISSUER,
            clientId: 'gateway',
            clientSecretEnv: 'SECRET_OF_LOGIN',
            scopes: ['openid'],
            publicOrigin: 'https://app.example.com',
            session: { keysEnv: 'KEYS_OF_SESSIONS' },
          },
        },
        upstreams: { users: { targets: ['http://users.internal'] } },
        routes: [{ id: 'users', match: { path: '/*' }, upstream: 'users' }],
      },
    });
    gateway.http('users').on('/*', ({ headers }) => ({ body: headers }));
  }); // prettier-ignore
  afterAll(() => gateway.stop());

  const seen = async (fields: Fields): Promise<Readonly<Record<string, unknown>>> => {
    const answer = await gateway.client(fields).get('/who');
    expect([answer.status, answer.problem]).toEqual([200, undefined]);
    return answer.json();
  };

  it('have tokens of the issuer, with claims where it has them', async () => {
    const ann = gateway.as({
      id: 'ann',
      roles: ['user', 'admin'],
      email: 'ann@example.com',
      scopes: ['a', 'b'],
    });
    expect(await seen(ann)).toMatchObject({
      'x-user-id': 'ann',
      'x-user-roles': 'user,admin',
      'x-user-email': 'ann@example.com',
    });
    expect(await seen(gateway.as({ id: 'bob', issuer: 'https://second.example.com/' }))).toMatchObject({
      'x-user-id': 'bob',
    });
  });

  it('have opaque tokens that somebody is asked about', async () => {
    const claims = { sub: 'carl', aud: 'api', iss: ISSUER, client_id: 'app', roles: ['user'] };
    expect(await seen(gateway.introspected(claims))).toMatchObject({
      'x-user-id': 'carl',
      'x-user-roles': 'user',
    });
    const inactive = await gateway.client({ authorization: 'Bearer simulated.unknown' }).get('/who');
    expect(inactive.status).toBe(401);
  });

  it('have logged in', async () => {
    expect(await seen(gateway.session({ sub: 'dora' }))).toMatchObject({ 'x-user-id': 'dora' });
  });
});
