import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startIdentityProvider, type IdentityProvider } from '../../../../test/support/oidc.ts';
import { startStageServer, type StageServer } from '../../../../test/support/stage-server.ts';
import { AuthenticationStageFactory } from '../authentication.stage.ts';
import { Identity } from '../identity.ts';
import { identitySchema } from '../identity.schema.ts';

let provider: IdentityProvider;
let identity: Identity;
let gate: StageServer;

beforeAll(async () => {
  provider = await startIdentityProvider([
    {
      id: 'ann',
      claims: { realm: { roles: ['admin', 'user'] }, email: 'ann@example.com', tid: 'acme', tier: 'pro' },
    },
    { id: 'batch' },
  ]);
  const { RS256, ES256 } = provider.audiences;
  const issuer = { issuer: provider.issuer, jwks: provider.jwksUrl, audiences: [RS256, ES256] };
  const options = { issuers: [{ ...issuer, claims: { roles: 'realm.roles', tenant: 'tid' } }] };
  identity = new Identity(identitySchema.parse(options));
  identity.start();
  const policies = { authentication: { schemes: ['jwt' as const] } };
  const stage = new AuthenticationStageFactory(identity).compile({ routeId: 'r', door: 'proxy', policies });
  gate = await startStageServer(stage === undefined ? [] : [stage]);
});

afterAll(async () => {
  identity.stop();
  await gate.stop();
  await provider.stop();
});

describe('JwtStrategy with an OpenID provider', () => {
  it.each(['RS256', 'ES256'] as const)(
    'accepts an access token that it signed with %s',
    async (algorithm) => {
      const token = await provider.token('ann', { algorithm, scope: 'read' });
      const answer = await gate.get({ authorization: `Bearer ${token}` });
      expect(answer.body['principal']).toMatchObject({
        id: 'ann',
        scheme: 'jwt',
        clientId: 'ann',
        roles: ['admin', 'user'],
        scopes: ['read'],
        email: 'ann@example.com',
        tenant: 'acme',
        tier: 'pro',
      });
    },
  );

  it('grants nothing that the token does not say', async () => {
    const token = await provider.token('batch');
    const answer = await gate.get({ authorization: `Bearer ${token}` });
    expect(answer.body['principal']).toMatchObject({ id: 'batch', roles: [], permissions: [], scopes: [] });
  });
});
