import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestKey, KeyServer, signToken, type TestKey } from '../../../test/support/key-server.ts';
import { startStageServer, type StageServer } from '../../../test/support/stage-server.ts';
import type { PolicySet } from '../order.ts';
import type { Stage } from '../stage.ts';
import { createApiKey } from './api-keys/api-key.ts';
import { AuthenticationStageFactory, IdentifyStage } from './authentication.stage.ts';
import { Identity } from './identity.ts';
import { identitySchema } from './identity.schema.ts';
import { unavailable, type CredentialVerifier } from './verifier.ts';
import { wayOf } from './ways.ts';

const { key: apiKey, sha256 } = createApiKey();
const EITHER: PolicySet = { authentication: { schemes: ['jwt', 'apiKey'] } };

let keys: KeyServer;
let key: TestKey;
let identity: Identity;
let either: StageServer;
let token: string;

function compile(policies: PolicySet, by: Identity = identity): Stage | undefined {
  return new AuthenticationStageFactory(by).compile({ routeId: 'r', door: 'proxy', policies });
}

async function gateFor(policies: PolicySet): Promise<StageServer> {
  const stage = compile(policies);
  return startStageServer(stage === undefined ? [] : [stage]);
}

beforeAll(async () => {
  keys = await new KeyServer().start();
  key = await createTestKey();
  keys.keys = [key.publicJwk];
  token = await signToken(key, keys.issuer);
  const options = {
    issuers: [{ issuer: keys.issuer, jwks: keys.url, audiences: ['api'] }],
    apiKeys: [{ sha256, clientId: 'mobile' }],
  };
  identity = new Identity(identitySchema.parse(options));
  either = await gateFor(EITHER);
});

afterAll(async () => {
  identity.stop();
  await either.stop();
  await keys.stop();
});

describe('AuthenticationStageFactory', () => {
  it('gives a public route no stage at all', () => {
    expect(compile({ authentication: 'public' })).toBeUndefined();
  });

  it('refuses a route that does not say who may call it', () => {
    expect(() => compile({})).toThrow(/authentication: expected `public`/);
  });

  it('refuses what nothing on the route can follow, and says where', () => {
    const keyOf = (authentication: PolicySet['authentication'], by?: Identity): unknown => {
      try {
        return compile({ authentication }, by);
      } catch (error) {
        return (error as { readonly key?: unknown }).key;
      }
    };
    const proving = new Identity(
      identitySchema.parse({
        apiKeys: [{ sha256, clientId: 'mobile' }],
        tokens: { dpop: { mode: 'accept', urls: ['https://api.example'] } },
      }),
    );
    const schemes = ['apiKey'] as const;
    const all = [
      keyOf({ schemes: [...schemes], dpop: 'require' }, proving),
      keyOf({ schemes: [...schemes], dpop: 'require' }),
      keyOf({ schemes: [...schemes], onNavigation: 'login' }),
      keyOf({ schemes: [...schemes], accessToken: 'forward' }),
    ];
    expect(all).toEqual(
      ['dpop', 'dpop', 'onNavigation', 'accessToken'].map((name) => ['authentication', name]),
    );
  });

  it('refuses a route whose credentials nobody could check', () => {
    const nobody = new Identity(identitySchema.parse({}));
    expect(() => compile(EITHER, nobody)).toThrow(
      /; add identity\.issuers or identity\.apiKeys, or Redis \(REDIS_URL\)/,
    );
    const keysOnly = new Identity(identitySchema.parse({ apiKeys: [{ sha256, clientId: 'mobile' }] }));
    expect(() => compile({ authentication: { schemes: ['jwt'] } }, keysOnly)).toThrow(
      /; add identity\.issuers$/,
    );
    expect(compile(EITHER, keysOnly)).toBeDefined();
  });
});

describe('the identify stage', () => {
  it('challenges with every accepted scheme when there is no credential', async () => {
    const answer = await either.get();
    expect([answer.status, answer.body['code']]).toEqual([401, 'credentials-missing']);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="gatehouse", ApiKey realm="gatehouse"');
  });

  it('says in the challenge of the refused credential why', async () => {
    const answer = await either.get({ authorization: 'Bearer nonsense' });
    expect(answer.headers['www-authenticate']).toBe(
      'Bearer realm="gatehouse", error="invalid_token", error_description="The token is malformed.", ApiKey realm="gatehouse"',
    );
  });

  it('accepts either credential', async () => {
    expect((await either.get({ authorization: `Bearer ${token}` })).body['principal']).toMatchObject({
      id: 'alice',
    });
    expect((await either.get({ 'x-api-key': apiKey })).body['principal']).toMatchObject({ id: 'mobile' });
    expect((await either.get({ authorization: `ApiKey ${apiKey}` })).body['principal']).toMatchObject({
      id: 'mobile',
    });
  });

  it('refuses a bad first credential even when the second is good', async () => {
    const answer = await either.get({ authorization: 'Bearer nonsense', 'x-api-key': apiKey });
    expect(answer.body['code']).toBe('credentials-invalid');
  });

  it('lets the order of the route decide between two good ones', async () => {
    const both = { authorization: `Bearer ${token}`, 'x-api-key': apiKey };
    const keyFirst = await gateFor({ authentication: { schemes: ['apiKey', 'jwt'] } });
    expect((await either.get(both)).body['principal']).toMatchObject({ scheme: 'jwt' });
    expect((await keyFirst.get(both)).body['principal']).toMatchObject({ scheme: 'apiKey' });
    await keyFirst.stop();
  });

  it('does not look at credentials of another scheme', async () => {
    const tokensOnly = await gateFor({ authentication: { schemes: ['jwt'] } });
    for (const headers of [
      { 'x-api-key': apiKey },
      { authorization: 'Basic YTpi' },
      { authorization: 'BearerX a' },
    ]) {
      const answer = await tokensOnly.get(headers);
      expect([answer.body['code'], answer.headers['www-authenticate']]).toEqual([
        'credentials-missing',
        'Bearer realm="gatehouse"',
      ]);
    }
    await tokensOnly.stop();
  });

  it('refuses a request with two Authorization headers, even equal ones', async () => {
    for (const second of [`Bearer ${token}`, `ApiKey ${apiKey}`, 'Basic YTpi']) {
      const answer = await either.get({ authorization: [`Bearer ${token}`, second] });
      expect([answer.status, answer.body['code']]).toEqual([401, 'credentials-invalid']);
    }
  });

  it.each(['', ' ', 'Bearer', 'Bearer ', 'bearer\t', '(Bearer) a', '"Bearer" a', 'Bearer: a', 'ApiKey'])(
    'refuses the Authorization header %j',
    async (authorization) => {
      const answer = await either.get({ authorization });
      expect([answer.status, answer.body['code']]).toEqual([401, 'credentials-invalid']);
    },
  );

  it.each<[string, () => never | Promise<never>]>([
    ['at once', fail],
    ['later', () => Promise.reject(new TypeError('a defect'))],
  ])('never takes a defect of a check that shows %s for a bad credential', async (_when, verify) => {
    const gate = await startStageServer([stageOf(new DefectiveVerifier(verify))]);
    const answer = await gate.get();
    expect([answer.status, answer.body['code']]).toEqual([503, 'identity-unavailable']);
    expect(answer.body['detail']).toBeUndefined();
    await gate.stop();
  });

  it('leaves a problem other than a refusal as it is', async () => {
    const verify = (): never => {
      throw unavailable(7000);
    };
    const gate = await startStageServer([stageOf(new DefectiveVerifier(verify))]);
    const answer = await gate.get();
    expect([answer.status, answer.headers['retry-after'], answer.headers['www-authenticate']]).toEqual([
      503,
      '7',
      undefined,
    ]);
    await gate.stop();
  });
});

function stageOf(verifier: CredentialVerifier): IdentifyStage {
  return new IdentifyStage({ way: wayOf('jwt', () => verifier), verifiers: [verifier] });
}

class DefectiveVerifier implements CredentialVerifier {
  readonly scheme = 'jwt';
  readonly configured = true;
  readonly verify: () => never | Promise<never>;

  constructor(verify: () => never | Promise<never>) {
    this.verify = verify;
  }

  challenge(): string {
    return 'Bearer';
  }

  start(): void {
    // Nothing to start.
  }

  stop(): void {
    // Nothing to stop.
  }
}

function fail(): never {
  throw new TypeError('a defect');
}
