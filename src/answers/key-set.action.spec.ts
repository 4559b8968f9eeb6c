import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { call } from '../../test/support/client.ts';
import { startGateway, type TestGateway } from '../../test/support/gateway.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'));
const file = join(folder, 'signing.pem');
let gateway: TestGateway;
let url: string;
beforeAll(async () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const identity = { signing: { issuer: 'https://api.example.com', keys: [file] } };
  gateway = await startGateway({ config: JSON.stringify({ version: 1, identity }) });
  url = `${gateway.url}/.well-known/jwks.json`;
});
afterAll(async () => {
  await gateway.stop();
  rmSync(folder, { recursive: true });
});

it('tells everybody the public keys, and nothing of the private ones', async () => {
  const { status, headers, ...answer } = await call(url);
  expect([status, headers['content-type']]).toEqual([200, 'application/jwk-set+json']);
  expect(headers['cache-control']).toMatch(/^public, max-age=\d+$/);
  const { keys } = answer.json<{ keys: object[] }>();
  expect(keys).toMatchObject([{ kty: 'EC', crv: 'P-256', use: 'sig' }]);
  expect(keys[0]).not.toHaveProperty('d');
});

it('says only by its head how long they are', async () => {
  const [got, head] = [await call(url), await call(url, { method: 'HEAD' })];
  expect([head.status, head.text, head.headers['content-length']]).toEqual([
    200,
    '',
    got.headers['content-length'],
  ]);
});

it.each([
  ['the same', (etag: string) => etag, 304],
  ['the same, weakly, among others', (etag: string) => `"x", W/${etag}`, 304],
  ['any', () => '*', 304],
  ['another one', () => '"x"', 200],
])('sends nothing to who has %s', async (_what, saying, status) => {
  const { etag = '' } = (await call(url)).headers;
  const answer = await call(url, { headers: { 'if-none-match': saying(etag) } });
  expect([answer.status, answer.headers.etag]).toEqual([status, etag]);
});
