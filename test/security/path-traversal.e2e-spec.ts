import { describe, expect, it } from '@jest/globals';
import { speak, statusOf } from '../support/client.ts';
import { useShop } from '../support/shop.ts';

const holder = useShop({
  routes: [
    { id: 'open', match: { path: '/*' }, upstream: 'echo', policies: { authentication: 'public' } },
    {
      id: 'admin',
      match: { path: '/admin/*' },
      upstream: 'echo',
      policies: { authorization: { anyRole: ['admin'] } },
    },
  ],
});

/** Spellings of the protected path that some server reads as `/admin/...`. */
const SPELLINGS = [
  '/admin', '/admin/', '/admin/keys', '/admin?x=1', '/admin/?x=1',
  '/%61dmin/keys', '/%61%64%6d%69%6e', '/a%64min/', '/adm%69n?x', '/%2561dmin/keys',
  '//admin/keys', '/./admin/keys', '/x/../admin/keys', '/x/%2e%2e/admin/keys', '/x/.%2e/admin', '/x/%2E%2E%2Fadmin',
  '/%2fadmin/keys', '/%2Fadmin', '/x%2f..%2fadmin/keys', '/admin%2fkeys', '/admin%2Fkeys', '/admin%5ckeys',
  '/\\admin/keys', '/%5cadmin/keys', '/x/..\\admin', '/x\\..\\admin', '/x/..;/admin/keys', '/x/..;a=b/admin', '/.;/admin',
  '/admin;x=1/keys', '/admin;/keys', '/admin.', '/admin./keys', '/admin%20/keys', '/admin%00/keys', '/admin%09', '/%0aadmin',
  '/admin//keys', '/admin/./keys', '/admin/%2e/keys', '/admin/../admin/keys', '///admin', '/..//admin',
  '/Admin/keys', '/ADMIN', '/admın/keys', '/admin%c0%af', '/%c0%ae%c0%ae/admin', '/%u0061dmin', '/%6', '/%zz/admin',
  '/admin#', '/x/../../admin', '/%EF%BC%8Fadmin', '/admin\t', '/.%00./admin', '/x/%252e%252e/admin',
]; // prettier-ignore

/** How a lenient server could read a path: decoded once, path parameters, dot segments and doubled slashes gone. */
function lenient(path: string): string {
  let text = path.split(/[?#]/)[0] ?? '';
  text = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  const out: string[] = [];
  for (const raw of text.replaceAll('\\', '/').split('/')) {
    const segment = raw.split(';')[0] ?? '';
    if (segment === '..') out.pop();
    else if (segment !== '' && segment !== '.') out.push(segment);
  }
  return `/${out.join('/')}`;
}

describe('a spelling of a protected path', () => {
  it.each(SPELLINGS)('never reaches the upstream without credentials: %s', async (path) => {
    const before = holder.shop.echo.requests.length;
    const answer = await speak(
      holder.shop.gateway.url,
      Buffer.from(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`, 'latin1'),
    );
    expect([200, 400, 401, 404]).toContain(statusOf(answer));
    const reached = holder.shop.echo.requests.slice(before).map(({ url }) => url ?? '');
    expect(reached.filter((url) => /^\/admin(\/|$)/i.test(lenient(url)))).toEqual([]);
  });

  it('reaches it with credentials, in the normal form', async () => {
    const answer = await holder.shop.call('/%61dmin/%7Ekeys', { as: 'admin' });
    expect(answer.json()).toMatchObject({ url: '/admin/~keys' });
  });

  it.each(['/public/%ff', '/admin%c0%af'])(
    'is a problem with an access line when it is no UTF-8: %s',
    async (path) => {
      const answer = await holder.shop.call(path);
      expect([answer.status, answer.json()]).toEqual([
        400,
        expect.objectContaining({ code: 'request-malformed' }),
      ]);
      expect(await holder.shop.lineOf(answer)).toMatchObject({ status: 400, refused: { stage: 'open' } });
    },
  );

  it('cannot be reached through rewriting a catch-all parameter', async () => {
    const answer = await holder.shop.call('/public/..%2fadmin');
    expect(answer.status).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'request-malformed' });
  });
});
