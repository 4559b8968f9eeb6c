import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigError } from '../../src/config/config-fault.ts';
import { parseAnswer, speak, type Answer } from '../support/client.ts';
import { checkGateway, startGateway, type TestGateway } from '../support/gateway.ts';

const CONFIG = `
version: 1
defaults: { policies: { authentication: public } }
routes:
  - { id: away, match: { path: /away/* }, redirect: { to: 'https://new.example.com/in/{*}' } }
  - { id: here, match: { path: /here/* }, redirect: { to: '/{*}' } }
  - { id: one, match: { path: '/one/{id}' }, redirect: { to: '/{id}?back={id}' } }
  - { id: verb, match: { path: '/verb/{id}:go' }, redirect: { to: 'https://new.example.com/in/{id}' } }
`;

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startGateway({ config: CONFIG });
});
afterAll(() => gateway.stop());

async function ask(target: string): Promise<Answer> {
  const bytes = Buffer.from(`GET ${target} HTTP/1.1\r\nHost: gateway.test\r\n\r\n`, 'latin1');
  const text = await speak(gateway.url, bytes);
  const answer = parseAnswer(text);
  const [, location] = /^location: (.*)\r$/im.exec(text) ?? [];
  return location === undefined ? answer : { ...answer, headers: { ...answer.headers, location } };
}

/** Where a browser would go. */
const goal = (location: string): URL => new URL(location, 'http://gateway.test/x/y');

const TRICKS = [
  '//evil.test', '/%2Fevil.test', '%2F%2Fevil.test', '\\evil.test', '%5Cevil.test', '/\\evil.test', '.evil.test', '@evil.test',
  'https://evil.test', 'https:evil.test', 'javascript:alert(1)', ';//evil.test', '%09/evil.test', '\t/evil.test', '%0d%0aSet-Cookie:%20a=1',
  '%0D%0ALocation:%20https://evil.test', '%E5%98%8A%E5%98%8DSet-Cookie:a', '..', '../x', '%2e%2e', '%2e%2e%2fx', '..;/x', '.', '',
  '%00', '%u002fevil.test', 'x?y=//evil.test', '?//evil.test', 'x#//evil.test', '%23@evil.test', '[::1]', ':80', 'a:b@evil.test',
  'x?a="><script>alert(1)</script>', 'x?a=\xe9\xff', '"<x>', '`{|}^',
]; // prettier-ignore

describe.each(['/away/', '/here/', '/one/'])('a client that asks for %s and then', (prefix) => {
  it.each(TRICKS)('%j is sent nowhere but where the file says', async (trick) => {
    const answer = await ask(prefix + trick);
    if (answer.status !== 307) {
      expect([400, 404]).toContain(answer.status);
      expect(answer.headers).not.toHaveProperty('location');
      return;
    }
    const location = answer.headers.location ?? '';
    // One header field, made of what a URI may have (RFC 3986): nothing of the client's ends it.
    expect(location).toMatch(/^[A-Za-z0-9\-._~:/?[\]@!$&'()*+,;=%]+$/);
    expect(answer.headers).not.toHaveProperty('set-cookie');
    const { protocol, host, username, pathname } = goal(location);
    expect([protocol, username]).toEqual([prefix === '/away/' ? 'https:' : 'http:', '']);
    expect(host).toBe(prefix === '/away/' ? 'new.example.com' : 'gateway.test');
    if (prefix === '/away/') expect(pathname).toMatch(/^\/in\//);
  });
});

describe('a segment whose verb is cut off', () => {
  it.each(['..', '.', '%2e%2e', '..%3B'])('does not lead upwards when it was %s', async (id) => {
    const answer = await ask(`/verb/${id}:go`);
    expect(answer.status).toBe(400);
    expect(answer.headers).not.toHaveProperty('location');
  });

  it('is taken otherwise', async () => {
    expect((await ask('/verb/7:go')).headers.location).toBe('https://new.example.com/in/7');
  });
});

describe('a file that lets a client choose the host', () => {
  it.each([
    'https://{id}.example.com/', 'https://{id}', 'https://new.example.com{*}', 'https://new.example.com:{id}/', '{id}://x/', '{*}',
    'https://{id}@new.example.com/', 'https://user:pass@new.example.com/', '//{id}/', '//new.example.com/', '/\\{id}', '///x', '/{*}/{id}',
    'javascript:alert({id})', 'data:text/html,x', 'ftp://new.example.com/', 'https:/new.example.com', 'https:new.example.com', '',
    'https://new.example.com\\@evil.test/', 'https://new.example.com/\r\nx: y', '/\r\nx: y', 'https://127.1/', '/ä',
  ])('does not start: %j', async (to) => {
    const config = CONFIG + `  - ${JSON.stringify({ id: 'bad', match: { path: '/bad/{id}/*' }, redirect: { to } })}\n`;
    const error: unknown = await checkGateway({ config }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ConfigError);
    const { faults } = error as ConfigError;
    expect(faults).toEqual([expect.objectContaining({ routeId: 'bad', key: 'routes[bad].redirect.to' })]);
  }); // prettier-ignore
});

describe('a file that splits the answer of its route', () => {
  it.each([
    { 'x-a': 'b\r\nset-cookie: a=1' },
    { 'x-a\r\nx-b': 'c' },
    { 'x-a': 'b\0' },
    { 'transfer-encoding': 'chunked' },
  ])('does not start: %j', async (headers) => {
    const config =
      CONFIG + `  - ${JSON.stringify({ id: 'bad', match: { path: '/bad' }, respond: { headers } })}\n`;
    await expect(checkGateway({ config })).rejects.toBeInstanceOf(ConfigError);
  });
});
