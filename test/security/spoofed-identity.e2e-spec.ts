import { describe, expect, it } from '@jest/globals';
import { useShop } from '../support/shop.ts';
import type { Echo } from '../support/upstream.ts';

const holder = useShop({
  routes: [
    { id: 'open', match: { path: '/open/*' }, upstream: 'echo', policies: { authentication: 'public' } },
    { id: 'closed', match: { path: '/closed/*' }, upstream: 'echo' },
  ],
});

const NAMES = [
  'X-User-Id', 'X-User-Email', 'X-User-Roles', 'X-User-Permissions', 'X-Client-Id', 'X-Client-Cert',
  'X-Tenant-Id', 'X-Real-IP', 'X-Forwarded-For', 'X-Forwarded-User', 'X-Forwarded-Prefix', 'Forwarded',
]; // prettier-ignore

const SPELLINGS: readonly ((name: string) => string)[] = [
  (name) => name,
  (name) => name.toLowerCase(),
  (name) => name.toUpperCase(),
  (name) => name.replaceAll('-', '_'),
  (name) => name.replaceAll('-', '.'),
  (name) => name.replaceAll('-', ''),
  (name) => name.replace('-', '_'),
  (name) => name.replaceAll('-', '--'),
  (name) => `${name}_`,
  (name) => `_${name}`,
  (name) => name.replaceAll('-', '!~'),
  (name) => [...name].map((letter, i) => (i % 2 ? letter.toUpperCase() : letter.toLowerCase())).join(''),
];

const aliases = [...new Set(NAMES.flatMap((name) => SPELLINGS.map((spell) => spell(name))))];

function valuesOf({ rawHeaders }: Echo): string[] {
  return rawHeaders.filter((_, i) => i % 2 === 1);
}

describe('an identity header of a client', () => {
  it.each(aliases)('never reaches an upstream as %s', async (name) => {
    const headers = { [name]: ['forged-1', 'forged-2'], connection: `keep-alive, ${name}` };
    for (const sent of [{ [name]: 'forged-1' }, headers]) {
      const open = (await holder.shop.call('/open/x', { headers: sent })).json<Echo>();
      expect(valuesOf(open).join()).not.toContain('forged');
    }
  });

  it('cannot stand beside what the gateway says of the principal', async () => {
    const headers = Object.fromEntries(aliases.map((name) => [name, 'forged']));
    const seen = (await holder.shop.call('/closed/x', { as: 'user', headers })).json<Echo>();
    expect(seen.headers).toMatchObject({
      'x-user-id': '2',
      'x-user-roles': 'user',
      'x-user-email': 'bob@example.com',
      'x-tenant-id': 'acme',
      'x-forwarded-for': '127.0.0.1',
    });
    expect(valuesOf(seen).join()).not.toContain('forged');
  });

  it('cannot be used to remove what the gateway says, by listing it in Connection', async () => {
    const connection = 'close, X-User-Id, x-user-roles, x-forwarded-for, x-request-id, traceparent, host';
    const seen = (await holder.shop.call('/closed/x', { as: 'user', headers: { connection } })).json<Echo>();
    expect(seen.headers).toMatchObject({
      'x-user-id': '2',
      'x-user-roles': 'user',
      'x-forwarded-for': '127.0.0.1',
    });
    expect(seen.headers).toHaveProperty('x-request-id');
    expect(seen.headers).toHaveProperty('traceparent');
  });

  it('is not needed for an API key: the client is told apart from a user of the same name', async () => {
    const headers = { 'x-user-id': 'mobile-app' };
    const seen = (
      await holder.shop.call('/closed/x', { apiKey: 'test-key-of-the-mobile-app', headers })
    ).json<Echo>();
    expect(seen.headers).toMatchObject({ 'x-client-id': 'mobile-app', 'x-user-roles': 'user' });
    expect(seen.headers).not.toHaveProperty('x-user-id');
    expect(seen.headers).not.toHaveProperty('x-api-key');
  });
});
