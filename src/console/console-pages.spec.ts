import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { fastify, type FastifyInstance } from 'fastify';
import { gunzipSync } from 'node:zlib';
import { pageAt, serveConsole } from './console-pages.ts';
import { readConsoleSite, type ConsoleSite } from './console-site.ts';

const HTML = '<head><base href="./" /><script src="./assets/a.js"></script></head>';

describe('the pages of the console', () => {
  const built = readConsoleSite() as ConsoleSite;
  let server: FastifyInstance;
  beforeAll(() => {
    server = fastify();
    expect(serveConsole(server, built)).toBe(true);
  });
  afterAll(() => server.close());

  it.each([
    ['/console/', './'],
    ['/console/routes', './'],
    ['/console/routes/a%2Fb?tab=refused', '../'],
    ['/console/a/b/c?x=/y/z', '../../'],
  ])('lead back to the console from %s by %s', (url, base) => {
    expect(pageAt(url, HTML)).toContain(`<base href="${base}"`);
  });

  it('allow nothing that is written inline, and nothing of another host', async () => {
    const { headers, body } = await server.inject('/console/routes/x');
    const policy = String(headers['content-security-policy']);
    expect(policy).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self'/);
    expect(policy).toMatch(
      /frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'$/,
    );
    expect(policy).not.toMatch(/unsafe|data:|https?:|\*/);
    expect(body).not.toMatch(/<style|style="|<script>|https?:/);
    expect(headers['cache-control']).toBe('no-cache');
  });

  it('have files that are kept for good, packed for whoever takes that', async () => {
    const [name = ''] = [...built.assets.keys()].filter((one) => one.endsWith('.js'));
    const url = `/console/assets/${name}`;
    const packed = await server.inject({ url, headers: { 'accept-encoding': 'gzip' } });
    const plain = await server.inject({ url });
    expect(plain.headers['cache-control']).toContain('immutable');
    expect(gunzipSync(packed.rawPayload).equals(plain.rawPayload)).toBe(true);
    const known = await server.inject({ url, headers: { 'if-none-match': String(plain.headers.etag) } });
    expect([known.statusCode, known.body]).toEqual([304, '']);
    expect((await server.inject('/console/assets/..%2Findex.html')).statusCode).toBe(404);
  });

  it('weigh no more than 90 kB packed', () => {
    const packed = [...built.assets.values()].reduce((sum, { gzip }) => sum + gzip().length, 0);
    expect(packed).toBeLessThan(90_000);
  });

  it('say how they are built where they are not', async () => {
    const bare = fastify();
    expect(serveConsole(bare, readConsoleSite(['./nowhere/']))).toBe(false);
    const answer = await bare.inject('/console/');
    expect([answer.statusCode, answer.body]).toEqual([503, expect.stringContaining('npm run build')]);
    await bare.close();
  });
});
