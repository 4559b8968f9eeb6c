import { describe, expect, it } from '@jest/globals';
import { identitySchema } from '../policies/authentication/identity.schema.ts';
import type { PolicySet } from '../policies/order.ts';
import type { Route } from '../routing/route.ts';
import { credentialPlaces, securityOf, securitySchemes, type CredentialPlaces } from './security.ts';

const of = (authentication: PolicySet['authentication'], places?: CredentialPlaces) =>
  securityOf({ policies: { authentication } } as Route, places).map((one) => Object.keys(one).join('+'));
const cookie = '__Host-token';

describe('what a route asks callers to prove', () => {
  it('is what its policy says where nothing else is configured', () => {
    expect(of('public')).toEqual([]);
    expect(of({ schemes: ['jwt', 'apiKey'], optional: true })).toEqual(['jwt', 'apiKey', '']);
    expect(of({ allOf: ['jwt', 'apiKey'] })).toEqual(['jwt+apiKey']);
  });

  it('names a token that is bound to a key, and nothing else where it has to be', () => {
    expect(of({ schemes: ['jwt', 'introspection'] }, { dpop: 'accept' })).toEqual([
      'jwt',
      'dpop',
      'introspection',
    ]);
    expect(of({ schemes: ['jwt', 'session'] }, { dpop: 'require', cookie })).toEqual(['dpop', 'session']);
    expect(of({ schemes: ['jwt'], dpop: 'require' }, { dpop: 'accept', cookie })).toEqual(['dpop']);
  });

  it('names the cookie of a token, alone or beside another credential', () => {
    expect(of({ schemes: ['jwt', 'apiKey'] }, { cookie })).toEqual(['jwt', 'tokenCookie', 'apiKey']);
    expect(of({ allOf: ['jwt', 'apiKey'] }, { cookie, header: false })).toEqual(['tokenCookie+apiKey']);
    expect(of({ schemes: ['apiKey'] }, { cookie, dpop: 'accept' })).toEqual(['apiKey']);
  });
});

describe('the schemes of a document', () => {
  it('are those of the configuration', () => {
    const urls = ['https://api.example.com'];
    const identity = identitySchema.parse({
      apiKeyOptions: { header: 'X-Shop-Key' },
      tokens: { cookie: { name: cookie, origins: urls }, dpop: { mode: 'accept', urls } },
    });
    const schemes = securitySchemes(credentialPlaces({ ...identity, roles: {} }));
    expect(schemes['apiKey']).toMatchObject({ name: 'x-shop-key' });
    expect(schemes['tokenCookie']).toMatchObject({ type: 'apiKey', in: 'cookie', name: cookie });
    expect(schemes['dpop']).toMatchObject({ type: 'http', scheme: 'dpop' });
    expect(securitySchemes(credentialPlaces(undefined))).not.toHaveProperty('dpop');
    expect(securitySchemes()).not.toHaveProperty('tokenCookie');
  });
});
