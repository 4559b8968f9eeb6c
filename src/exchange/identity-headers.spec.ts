import { describe, expect, it } from '@jest/globals';
import { validateHeaderValue } from 'node:http';
import type { Principal } from './principal.ts';
import { identityHeaders, isIdentityHeader } from './identity-headers.ts';

const RESERVED = [
  ['x', 'user', 'id'],
  ['x', 'user', 'email'],
  ['x', 'user', 'roles'],
  ['x', 'client', 'id'],
  ['x', 'client', 'cert'],
  ['x', 'tenant', 'id'],
  ['x', 'forwarded', 'for'],
  ['x', 'forwarded', 'host'],
  ['x', 'forwarded', 'proto'],
  ['x', 'forwarded', 'prefix'],
  ['x', 'real', 'ip'],
  ['forwarded'],
] as const;

const capital = (word: string) => word.slice(0, 1).toUpperCase() + word.slice(1);
const FOLDS: readonly [string, (words: readonly string[]) => string][] = [
  ['dashes', (words) => words.join('-')],
  ['capitals', (words) => words.map(capital).join('-')],
  ['upper case', (words) => words.join('-').toUpperCase()],
  ['underscores', (words) => words.join('_')],
  ['upper case with underscores', (words) => words.join('_').toUpperCase()],
  ['dots', (words) => words.map(capital).join('.')],
  ['mixed separators', (words) => words.join('-_.')],
  ['no separators', (words) => words.map(capital).join('')],
  ['odd token characters', (words) => words.join("!#$%&'*+^`|~")],
  ['a leading underscore', (words) => `_${words.join('_')}`],
  ['a leading dash', (words) => `-${words.join('-')}`],
  ['a trailing dot', (words) => `${words.join('-')}.`],
];

const alice: Principal = Object.freeze({
  id: 'alice',
  scheme: 'jwt',
  issuer: undefined,
  subject: 'alice',
  clientId: 'mobile',
  apiKeyId: undefined,
  roles: ['admin', 'user'],
  permissions: [],
  scopes: [],
  email: 'alice@example.com',
  tenant: 'acme',
  tier: undefined,
  claims: {},
});

describe('isIdentityHeader', () => {
  for (const [fold, spell] of FOLDS) {
    it.each(RESERVED.map((words) => [spell(words)]))(`takes %s, spelled with ${fold}`, (name) => {
      expect(isIdentityHeader(name)).toBe(true);
    });
  }

  it.each([
    'host',
    'accept',
    'user-agent',
    'user-id',
    'from',
    'forward',
    'forwarded-for-me',
    'x',
    'x-',
    '',
    '-',
    'xu',
    'x-request-id',
    'x-api-key',
    'x-use',
    'x-real',
    'x-real-ip-2',
    'x-correlation-user-id',
    'my-x-user-id',
    'traceparent',
  ])('leaves %j alone', (name) => {
    expect(isIdentityHeader(name)).toBe(false);
  });

  it('does not take a look-alike letter for a letter', () => {
    expect(isIdentityHeader('\u{445}-user-id')).toBe(false);
  });
});

describe('identityHeaders', () => {
  it('tells who calls', () => {
    expect(identityHeaders(alice)).toEqual([
      'X-User-Id', 'alice',
      'X-User-Email', 'alice@example.com',
      'X-User-Roles', 'admin,user',
      'X-Client-Id', 'mobile',
      'X-Tenant-Id', 'acme',
    ]); // prettier-ignore
  });

  it('leaves out what the principal does not have', () => {
    const bob = { ...alice, roles: [], email: undefined, clientId: undefined, tenant: '' };
    expect(identityHeaders(bob)).toEqual(['X-User-Id', 'alice']);
    expect(identityHeaders(undefined)).toEqual([]);
  });

  it('does not take an application for a user', () => {
    const client = { ...alice, id: 'mobile', subject: undefined };
    expect(identityHeaders(client)).not.toContain('X-User-Id');
    expect(identityHeaders(client)).toContain('X-Client-Id');
  });

  it('lists nothing that the gateway would take from a client', () => {
    const names = identityHeaders(alice).filter((_, index) => index % 2 === 0);
    expect(names.every(isIdentityHeader)).toBe(true);
  });

  it('makes the list once per principal', () => {
    expect(identityHeaders(alice)).toBe(identityHeaders(alice));
    expect(Object.isFrozen(identityHeaders(alice))).toBe(true);
  });

  it.each(['a\r\nX-User-Roles: admin', 'Zoë', '名前', '100%', ' a b ', 'tab\t', '\u{d800}', '\0'])(
    'sends %j so that it stays one value and can be read back',
    (id) => {
      const [, value = ''] = identityHeaders({ ...alice, subject: id });
      expect(() => validateHeaderValue('x-user-id', value)).not.toThrow();
      expect(value).toMatch(/^[!-~]([ -~]*[!-~])?$/);
      expect(decodeURIComponent(value)).toBe(id.toWellFormed());
    },
  );

  it('keeps a comma inside a role apart from the commas between roles', () => {
    const [, , , , name, value] = identityHeaders({ ...alice, roles: ['a,admin', 'b'] });
    expect([name, value]).toEqual(['X-User-Roles', 'a%2Cadmin,b']);
  });
});
