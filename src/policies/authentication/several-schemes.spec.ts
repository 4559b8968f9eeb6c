import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTestKey, KeyServer, signToken } from '../../../test/support/key-server.ts';
import { startStageServer, type StageServer } from '../../../test/support/stage-server.ts';
import { createApiKey } from './api-keys/api-key.ts';
import { authenticationPolicy } from './authentication.policy.ts';
import { AuthenticationStageFactory } from './authentication.stage.ts';
import { Identity } from './identity.ts';
import { identitySchema } from './identity.schema.ts';
import type { AuthenticationOptions } from './requirement.schema.ts';
import { alternativesOf, isMetBy, sayRequirement } from './requirement.ts';

const { key: apiKey, sha256 } = createApiKey();
const policy = (text: unknown): AuthenticationOptions => authenticationPolicy.schema.parse(text);

let keys: KeyServer;
let identity: Identity;
let gates: Map<string, StageServer>;
let sent: Record<string, Record<string, string>>;

const POLICIES = {
  both: { allOf: ['jwt', 'apiKey'] },
  'key first': { allOf: ['apiKey', 'jwt'] },
  'both or a key': { anyOf: [{ allOf: ['jwt', 'apiKey'] }, 'apiKey'] },
  any: { anyOf: ['jwt', 'apiKey'] },
  optional: { schemes: ['jwt', 'apiKey'], optional: true },
  'both or nobody': { allOf: ['jwt', { anyOf: ['apiKey'] }], optional: true },
};

beforeAll(async () => {
  keys = await new KeyServer().start();
  const key = await createTestKey();
  keys.keys = [key.publicJwk];
  identity = new Identity(
    identitySchema.parse({
      issuers: [{ issuer: keys.issuer, jwks: keys.url, audiences: ['api'] }],
      apiKeys: [{ sha256, clientId: 'mobile', roles: ['admin'] }],
    }),
  );
  const token = { authorization: `Bearer ${await signToken(key, keys.issuer)}` };
  const goodKey = { 'x-api-key': apiKey };
  sent = {
    nothing: {},
    'a token': token,
    'a key': goodKey,
    both: { ...token, ...goodKey },
    'a bad token': { authorization: 'Bearer nonsense' },
    'a bad key': { 'x-api-key': createApiKey().key },
    'a token and a bad key': { ...token, 'x-api-key': createApiKey().key },
    'a bad token and a key': { authorization: 'Bearer nonsense', ...goodKey },
  };
  gates = new Map();
  for (const [name, options] of Object.entries(POLICIES)) {
    const stage = new AuthenticationStageFactory(identity).compile({
      routeId: 'r',
      door: 'proxy',
      policies: { authentication: policy(options) },
    });
    gates.set(name, await startStageServer(stage === undefined ? [] : [stage]));
  }
});

afterAll(async () => {
  for (const gate of gates.values()) await gate.stop();
  identity.stop();
  await keys.stop();
});

describe('a route that asks for several credentials', () => {
  it.each([
    ['both', 'both', 'alice'],
    ['both', 'a token', 'credentials-missing'],
    ['both', 'a key', 'credentials-missing'],
    ['both', 'nothing', 'credentials-missing'],
    ['both', 'a token and a bad key', 'credentials-invalid'],
    ['both', 'a bad token and a key', 'credentials-invalid'],
    ['both', 'a bad key', 'credentials-invalid'],
    ['key first', 'both', 'mobile'],
    ['both or a key', 'both', 'alice'],
    ['both or a key', 'a key', 'mobile'],
    ['both or a key', 'a token', 'credentials-missing'],
    ['both or a key', 'a bad token and a key', 'credentials-invalid'],
    ['any', 'a token', 'alice'],
    ['any', 'a key', 'mobile'],
    ['optional', 'nothing', undefined],
    ['optional', 'a key', 'mobile'],
    ['optional', 'a bad token', 'credentials-invalid'],
    ['both or nobody', 'nothing', undefined],
    ['both or nobody', 'both', 'alice'],
    ['both or nobody', 'a token', 'credentials-missing'],
    ['both or nobody', 'a key', 'credentials-missing'],
  ])('asked for %s, given %s: %s', async (gate, credentials, outcome) => {
    const answer = await gates.get(gate)?.get(sent[credentials]);
    const { status, headers } = answer ?? {};
    const body = answer?.body ?? {};
    if (outcome?.startsWith('credentials-') === true) {
      expect([status, body['code']]).toEqual([401, outcome]);
      expect(headers?.['www-authenticate']).toMatch(/Bearer realm.*ApiKey realm|ApiKey realm.*Bearer realm/);
      return;
    }
    expect([status, (body['principal'] as { id?: string } | undefined)?.id]).toEqual([200, outcome]);
  });

  it('gives the caller the rights of the first credential only, and remembers the others', async () => {
    const principal = (await gates.get('both')?.get(sent['both']))?.body['principal'];
    expect(principal).toMatchObject({
      id: 'alice',
      scheme: 'jwt',
      also: [{ id: 'mobile', scheme: 'apiKey' }],
    });
    expect(principal).not.toMatchObject({ roles: ['admin'] });
  });

  it('says in the challenge of the refused credential why, and of no other', async () => {
    const { headers } = (await gates.get('both')?.get(sent['a bad token and a key'])) ?? {};
    expect(headers?.['www-authenticate']).toMatch(
      /^Bearer realm="gatehouse", error=.*, ApiKey realm="gatehouse"$/,
    );
    const { headers: ofKey } = (await gates.get('both')?.get(sent['a token and a bad key'])) ?? {};
    expect(ofKey?.['www-authenticate']).toBe('Bearer realm="gatehouse", ApiKey realm="gatehouse"');
  });
});

describe('the grammar', () => {
  it.each([
    [{ schemes: ['jwt', 'apiKey'] }, [['jwt'], ['apiKey']], 'jwt or apiKey', 'jwt,apiKey'],
    [{ allOf: ['jwt', 'apiKey'], optional: true }, [['jwt', 'apiKey']], 'jwt with apiKey', 'jwt+apiKey?'],
    [
      { allOf: ['apiKey', { anyOf: ['jwt', 'apiKey'] }] },
      [
        ['apiKey', 'jwt'],
        ['apiKey', 'apiKey'],
      ],
      'apiKey with jwt or apiKey with apiKey',
      'apiKey+jwt,apiKey+apiKey',
    ],
    [
      { anyOf: [{ allOf: ['jwt', 'apiKey'] }, 'jwt'] },
      [['jwt', 'apiKey'], ['jwt']],
      'jwt with apiKey or jwt',
      'jwt+apiKey,jwt',
    ],
  ])('reads %j', (text, alternatives, said, described) => {
    const options = policy(text);
    if (options === 'public') throw new Error('it is not public');
    expect(alternativesOf(options)).toEqual(alternatives);
    expect(sayRequirement(options)).toBe(said);
    expect(authenticationPolicy.describe(options)).toBe(described);
  });

  it.each([
    {},
    { optional: true },
    { schemes: [] },
    { schemes: ['jwt'], allOf: ['jwt'] },
    { schemes: ['jwt', 'jwt'] },
    { allOf: [{ allOf: ['jwt'] }] },
    { anyOf: [{ allOf: [] }] },
    { anyOf: ['password'] },
  ])('refuses %j', (text) => {
    expect(authenticationPolicy.schema.safeParse(text).success).toBe(false);
  });

  it('is met by all credentials of one alternative', () => {
    const options = policy(POLICIES['both or a key']);
    if (options === 'public') throw new Error('it is not public');
    const caller = { id: 'x', scheme: 'jwt' } as Parameters<typeof isMetBy>[1];
    expect(isMetBy(options, caller)).toBe(false);
    expect(isMetBy(options, { ...caller, also: [{ ...caller, scheme: 'apiKey' }] })).toBe(true);
    expect(isMetBy(options, { ...caller, scheme: 'apiKey' })).toBe(true);
  });
});
