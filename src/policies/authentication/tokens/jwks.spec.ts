import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { createTestKey, KeyServer } from '../../../../test/support/key-server.ts';
import { Jwks } from './jwks.ts';
import { jwksFromFile, jwksFromUrl, parseJwks, type JwksLoader } from './jwks-document.ts';
import type { SigningKey } from './signing-key.ts';

const COOLDOWN_MS = 10_000;
const unavailable = expect.objectContaining({ code: 'identity-unavailable' });

let server: KeyServer;
let jwks: Jwks;
let now: number;
const logged: string[] = [];

function create(load: JwksLoader = jwksFromUrl(server.url), refreshMs = 300_000): Jwks {
  return new Jwks({ issuer: server.issuer, load, refreshMs, cooldownMs: COOLDOWN_MS, clock: () => now });
}

/** Waits until something holds; a test that waits for ever fails by its own timeout. */
async function until(holds: () => unknown): Promise<void> {
  while (!(await holds())) await sleep(5);
}

beforeAll(() => {
  const note = (message: string): void => void logged.push(message);
  Logger.overrideLogger({ log: note, warn: note, error: note });
});

beforeEach(async () => {
  logged.length = 0;
  now = 1_000_000;
  server = await new KeyServer().start();
  jwks = create();
});

afterEach(async () => {
  jwks.stop();
  await server.stop();
});

describe('Jwks', () => {
  it('answers at once for a key that it knows, always with the same object', async () => {
    const key = await createTestKey();
    server.keys = [key.publicJwk];
    const first = await jwks.find(key.kid, 'ES256');
    expect(first?.object.equals(createPublicKey({ key: key.publicJwk as object, format: 'jwk' }))).toBe(true);
    expect(jwks.find(key.kid, 'ES256')).toBe(first);
  });

  it('asks once, however many requests wait for the first keys', async () => {
    const key = await createTestKey();
    server.keys = [key.publicJwk];
    jwks.start();
    const found = await Promise.all(Array.from({ length: 100 }, () => jwks.find(key.kid, 'ES256')));
    expect(found.every((one) => one?.kid === key.kid)).toBe(true);
    expect(server.requests).toBe(1);
  });

  it('asks at most once per cooldown for 10 000 made-up names', async () => {
    const key = await createTestKey();
    server.keys = [key.publicJwk];
    await jwks.find(key.kid, 'ES256');
    now += COOLDOWN_MS;
    const asked = server.requests;
    const names = Array.from({ length: 10_000 }, (_, index) => `made-up-${String(index)}`);
    const together = await Promise.all(names.slice(0, 5000).map((name) => jwks.find(name, 'ES256')));
    const inTurn: (SigningKey | undefined)[] = [];
    for (const name of names.slice(5000)) inTurn.push(await jwks.find(name, 'ES256'));
    expect([...together, ...inTurn].every((one) => one === undefined)).toBe(true);
    expect(server.requests).toBe(asked + 1);
    now += COOLDOWN_MS;
    await jwks.find('made-up', 'ES256');
    expect(server.requests).toBe(asked + 2);
  });

  it('heals a rotation within the request that meets it', async () => {
    const [before, after] = [await createTestKey(), await createTestKey()];
    server.keys = [before.publicJwk];
    jwks.start();
    const old = await jwks.find(before.kid, 'ES256');
    server.keys = [after.publicJwk];
    expect((await jwks.find(after.kid, 'ES256'))?.kid).toBe(after.kid);
    expect(old?.withdrawn).toBe(true);
    expect(await jwks.find(before.kid, 'ES256')).toBeUndefined();
  });

  it('keeps the identity of a key that stays published, and withdraws one that changed behind its name', async () => {
    const [stays, changes] = [await createTestKey(), await createTestKey('ES256', 'same-name')];
    server.keys = [stays.publicJwk, changes.publicJwk];
    const [first, second] = [await jwks.find(stays.kid, 'ES256'), await jwks.find('same-name', 'ES256')];
    server.keys = [stays.publicJwk, (await createTestKey('ES256', 'same-name')).publicJwk];
    now += COOLDOWN_MS;
    await jwks.find('unknown', 'ES256');
    expect(jwks.find(stays.kid, 'ES256')).toBe(first);
    expect(first?.withdrawn).toBe(false);
    expect(second?.withdrawn).toBe(true);
    expect(jwks.find('same-name', 'ES256')).not.toBe(second);
  });

  it('cannot tell while the issuer has never answered, and can as soon as it does', async () => {
    const key = await createTestKey();
    await server.stop();
    jwks.start();
    await expect(jwks.find(key.kid, 'ES256')).rejects.toEqual(unavailable);
    server.keys = [key.publicJwk];
    await server.start();
    now += 1000;
    expect((await jwks.find(key.kid, 'ES256'))?.kid).toBe(key.kid);
  });

  it('tells the operator once when an outage begins and once when it ends', async () => {
    await server.stop();
    for (let i = 0; i < 3; i += 1) {
      await expect(jwks.find('a', 'ES256')).rejects.toEqual(unavailable);
      now += COOLDOWN_MS;
    }
    await server.start();
    await jwks.find('a', 'ES256');
    expect(logged.filter((line) => /cannot be loaded \(.*ECONNREFUSED.*503/.test(line))).toHaveLength(1);
    expect(logged.filter((line) => line.includes('can be loaded again'))).toHaveLength(1);
  });

  it('says when to come back', async () => {
    await server.stop();
    await expect(jwks.find('a', 'ES256')).rejects.toMatchObject({ headers: { 'retry-after': '1' } });
  });

  it('keeps the last known keys through an outage, and cannot tell about others', async () => {
    const key = await createTestKey();
    server.keys = [key.publicJwk];
    const known = await jwks.find(key.kid, 'ES256');
    await server.stop();
    now += COOLDOWN_MS;
    await expect(jwks.find('unknown', 'ES256')).rejects.toMatchObject({ headers: { 'retry-after': '10' } });
    expect(jwks.find(key.kid, 'ES256')).toBe(known);
    expect(known?.withdrawn).toBe(false);
  });

  it('refreshes in the background and stops when told', async () => {
    const [before, after] = [await createTestKey(), await createTestKey()];
    server.keys = [before.publicJwk];
    jwks = create(jwksFromUrl(server.url), 20);
    jwks.start();
    const old = await jwks.find(before.kid, 'ES256');
    server.keys = [after.publicJwk];
    await until(() => old?.withdrawn);
    jwks.stop();
    await sleep(50);
    const asked = server.requests;
    await sleep(100);
    expect(server.requests).toBe(asked);
  });

  it('believes an issuer that withdraws every key', async () => {
    const key = await createTestKey();
    server.keys = [key.publicJwk];
    await jwks.find(key.kid, 'ES256');
    server.keys = [];
    now += COOLDOWN_MS;
    await jwks.find('unknown', 'ES256');
    expect(await jwks.find(key.kid, 'ES256')).toBeUndefined();
  });

  it('takes a token without a key name only when there is no doubt', async () => {
    const [one, two, rsa] = [await createTestKey(), await createTestKey(), await createTestKey('RS256')];
    server.keys = [one.publicJwk, rsa.publicJwk];
    expect((await jwks.find(undefined, 'ES256'))?.kid).toBe(one.kid);
    server.keys = [one.publicJwk, two.publicJwk];
    now += COOLDOWN_MS;
    await jwks.find('unknown', 'ES256');
    expect(await jwks.find(undefined, 'ES256')).toBeUndefined();
  });

  it.each<[string, (response: ServerResponse) => void]>([
    [
      'a redirect',
      (response) => response.writeHead(302, { location: `${server.url}/elsewhere` }).end('{"keys":[]}'),
    ],
    ['an error', (response) => response.writeHead(500).end('{"keys":[]}')],
    ['a page', (response) => response.end('<html>')],
    ['JSON of another shape', (response) => response.end('{"keys":{}}')],
    ['more than it would ever need', (response) => response.end(`{"keys":["${'a'.repeat(600_000)}"]}`)],
    ['half an answer', (response) => response.write('{"keys":[', () => response.destroy())],
    ['nothing', (response) => response.destroy()],
  ])('takes %s for an outage', async (_what, answer) => {
    const key = await createTestKey();
    server.keys = [key.publicJwk];
    const known = await jwks.find(key.kid, 'ES256');
    server.answer = answer;
    now += COOLDOWN_MS;
    await expect(jwks.find('unknown', 'ES256')).rejects.toEqual(unavailable);
    expect(jwks.find(key.kid, 'ES256')).toBe(known);
  });

  it('gives up an answer that does not come when it is stopped', async () => {
    server.answer = () => undefined;
    jwks.start();
    const waiting = jwks.find('a', 'ES256');
    await until(() => server.requests === 1);
    jwks.stop();
    await expect(waiting).rejects.toEqual(unavailable);
  });

  it('reads a file, and reads it again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-jwks-'));
    const [before, after] = [await createTestKey(), await createTestKey()];
    const path = join(folder, 'keys.json');
    await writeFile(path, JSON.stringify({ keys: [before.publicJwk] }));
    const fromFile = create(jwksFromFile(path));
    expect((await fromFile.find(before.kid, 'ES256'))?.kid).toBe(before.kid);
    await writeFile(path, JSON.stringify({ keys: [after.publicJwk] }));
    now += COOLDOWN_MS;
    expect((await fromFile.find(after.kid, 'ES256'))?.kid).toBe(after.kid);
    await rm(folder, { recursive: true });
  });
});

describe('parseJwks', () => {
  const rsa = {
    ...generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' }),
    kid: 'a',
  };
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
  const curve = (namedCurve: string) =>
    generateKeyPairSync('ec', { namedCurve }).publicKey.export({ format: 'jwk' });
  const algorithmsOf = (key: unknown) => parseJwks(JSON.stringify({ keys: [key] }))[0]?.algorithms;

  it('lets a key do only what its type can', () => {
    expect(algorithmsOf(rsa)).toEqual(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']);
    expect([curve('P-256'), curve('P-384'), curve('P-521')].map(algorithmsOf)).toEqual([
      ['ES256'],
      ['ES384'],
      ['ES512'],
    ]);
    expect(algorithmsOf({ ...rsa, alg: 'PS256', use: 'sig', key_ops: ['verify'] })).toEqual(['PS256']);
  });

  it.each([
    ['is for encryption', { ...rsa, use: 'enc' }],
    ['may not verify', { ...rsa, key_ops: ['wrapKey'] }],
    ['has odd operations', { ...rsa, key_ops: 'verify' }],
    ['is for another algorithm', { ...rsa, alg: 'RSA-OAEP' }],
    ['is a shared secret', { kty: 'oct', k: 'c2VjcmV0', kid: 'a' }],
    ['is too short', weak],
    ['is on another curve', curve('secp256k1')],
    [
      'is of a type that tokens here do not use',
      generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }),
    ],
    ['is broken', { kty: 'RSA', n: '', e: 'AQAB' }],
    ['is not an object', 'key'],
  ])('ignores a key that %s', (_what, key) => {
    expect(parseJwks(JSON.stringify({ keys: [key, rsa] })).map((one) => one.kid)).toEqual(['a']);
  });
});

/** An elliptic key without a name. */
const namelessKey = (): object => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return publicKey.export({ format: 'jwk' });
};

describe('a large key set', () => {
  it('of 100 keys is read, each key once, and one of 101 is refused unread', () => {
    const keys = Array.from({ length: 100 }, namelessKey);
    expect(parseJwks(JSON.stringify({ keys }))).toHaveLength(100);
    expect(parseJwks(JSON.stringify({ keys: [...keys.slice(0, 50), ...keys.slice(0, 50)] }))).toHaveLength(
      50,
    );
    const tooMany = JSON.stringify({ keys: [...keys, { kty: 'oct' }] });
    expect(() => parseJwks(tooMany)).toThrow('the key set has 101 keys; at most 100 are read');
  });

  it('leaves the last known keys in force, and says so', async () => {
    const key = await createTestKey();
    server.keys = [key.publicJwk];
    const known = await jwks.find(key.kid, 'ES256');
    server.keys = [key.publicJwk, ...Array.from({ length: 100 }, namelessKey)];
    now += COOLDOWN_MS;
    await expect(jwks.find('unknown', 'ES256')).rejects.toEqual(unavailable);
    expect(jwks.find(key.kid, 'ES256')).toBe(known);
    expect(logged.join()).toContain('101 keys');
  });

  it('keeps every key that stays, without a name too, in whatever order and spelling it comes', async () => {
    const keys = Array.from({ length: 99 }, namelessKey);
    const named = { kid: 'a', ...namelessKey() };
    server.keys = [named, ...keys];
    const found = await jwks.find('a', 'ES256');
    server.keys = [...keys.slice(1), Object.fromEntries(Object.entries(named).reverse())];
    now += COOLDOWN_MS;
    await jwks.find('unknown', 'ES256');
    expect(jwks.find('a', 'ES256')).toBe(found);
    expect(found?.withdrawn).toBe(false);
  });
});

it('passes over a byte order mark before a key set', async () => {
  const key = await createTestKey();
  server.answer = (response) => response.end(`\ufeff${JSON.stringify({ keys: [key.publicJwk] })}`);
  expect((await jwks.find(key.kid, 'ES256'))?.kid).toBe(key.kid);
});

describe('the content coding of a key set', () => {
  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['zstd', zstdCompressSync],
    ['br', brotliCompressSync],
  ] as const)('%s is read, although none was asked for', async (coding, encode) => {
    const key = await createTestKey();
    const body = encode(JSON.stringify({ keys: [key.publicJwk] }));
    server.answer = (response) => response.setHeader('content-encoding', coding).end(body);
    expect((await jwks.find(key.kid, 'ES256'))?.kid).toBe(key.kid);
  });

  it.each([
    ['decodes to more than 512 KiB', 'gzip', gzipSync(`{"keys":[]${' '.repeat(512 * 1024)}}`)],
    ['is not what it says', 'gzip', Buffer.from('{"keys":[]}')],
    ['is of a kind that nobody asked for', 'compress', Buffer.from('{"keys":[]}')],
    ['decodes to more in another coding', 'zstd', zstdCompressSync(' '.repeat(512 * 1024 + 1))],
    ['is two', 'gzip, gzip', gzipSync(gzipSync('{"keys":[]}'))],
  ])('that %s is no answer', async (_, coding, body) => {
    server.answer = (response) => response.setHeader('content-encoding', coding).end(body);
    await expect(jwks.find('a', 'ES256')).rejects.toEqual(unavailable);
  });
});
