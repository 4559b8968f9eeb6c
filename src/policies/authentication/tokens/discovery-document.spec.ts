import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTestKey, type TestKey } from '../../../../test/support/key-server.ts';
import { isDiscoverable, jwksFromDiscovery, metadataUrls } from './discovery-document.ts';

let key: TestKey;
let server: Server;
let origin: string;
/** What is answered where: a document, or a status. */
let answers: Record<string, unknown>;
let asked: string[];

beforeAll(async () => {
  key = await createTestKey();
  server = createServer(({ url = '' }, response) => {
    asked.push(url);
    const answer = answers[url] ?? 404;
    if (answer === 302) return response.writeHead(302, { location: `${origin}/moved` }).end();
    if (typeof answer === 'number') return response.writeHead(answer).end();
    response.end(typeof answer === 'string' ? answer : JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());
beforeEach(() => {
  asked = [];
  answers = { '/keys': { keys: [key.publicJwk] }, '/moved': { issuer: origin, jwks_uri: `${origin}/keys` } };
});

const OPENID = '/.well-known/openid-configuration';
const OAUTH = '/.well-known/oauth-authorization-server';
const load = (issuer: string) => jwksFromDiscovery(issuer)(new AbortController().signal);
const metadata = (more: object = {}) => ({ issuer: origin, jwks_uri: `${origin}/keys`, ...more });

describe('the metadata of an issuer', () => {
  it.each([
    ['', OPENID],
    ['/', OPENID],
    ['/realms/a', `/realms/a${OPENID}`],
    ['/realms/a/', `/realms/a${OPENID}`],
    ['', OAUTH],
    ['/realms/a', `${OAUTH}/realms/a`],
  ])('of the path %j is found at %s', async (path, at) => {
    answers[at] = metadata({ issuer: origin + path });
    expect((await load(origin + path)).map(({ kid }) => kid)).toEqual([key.kid]);
    expect(asked.at(-1)).toBe('/keys');
  });

  it('is read each time, so that keys that move are followed', async () => {
    answers[OPENID] = metadata();
    await load(origin);
    answers[OPENID] = metadata({ jwks_uri: `${origin}/moved-keys` });
    answers['/moved-keys'] = { keys: [] };
    expect(await load(origin)).toEqual([]);
  });

  it.each([
    ['of another issuer', () => metadata({ issuer: 'https://other.test' }), 'another issuer'],
    ['of nearly the same issuer', () => metadata({ issuer: `${origin}/` }), 'another issuer'],
    ['of no issuer', () => ({ jwks_uri: `${origin}/keys` }), 'names no issuer'],
    ['without keys', () => ({ issuer: origin }), 'the jwks_uri of the metadata is no URL'],
    [
      'whose keys are in a file',
      () => metadata({ jwks_uri: 'file:///etc/passwd' }),
      'no URL that may be believed',
    ],
    ['whose keys are no URL', () => metadata({ jwks_uri: '/keys' }), 'no URL that may be believed'],
    ['that is no JSON', () => 'no', 'names no issuer'],
    ['that is a redirect', () => 302, 'status 302'],
    ['that fails', () => 500, 'status 500'],
  ])('%s gives no keys', async (_what, answer, words) => {
    answers[OPENID] = answer();
    await expect(load(origin)).rejects.toThrow(words);
    expect(asked).toEqual([OPENID]);
  });

  it('gives no keys that are a redirect', async () => {
    answers[OPENID] = metadata({ jwks_uri: `${origin}/elsewhere` });
    answers['/elsewhere'] = 302;
    await expect(load(origin)).rejects.toThrow('the key set was answered with status 302');
  });

  it('is looked for below the issuer, and where RFC 8414 has it', () => {
    expect(metadataUrls('https://id.test/t/')).toEqual([
      `https://id.test/t${OPENID}`,
      `https://id.test${OAUTH}/t`,
    ]);
  });

  it.each([
    ['https://id.test/', true],
    ['https://id.test/?a=b', false],
    ['https://id.test/#a', false],
    ['https://id.test/?', false],
    ['urn:issuer', false],
    ['accounts', false],
  ])('can there be for %s: %j', (issuer, can) => {
    expect(isDiscoverable(issuer)).toBe(can);
  });
});
