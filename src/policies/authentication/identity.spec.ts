import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { KeyServer } from '../../../test/support/key-server.ts';
import { Identity } from './identity.ts';
import { identitySchema } from './identity.schema.ts';

const secretIssuer = (algorithms: string[] = ['HS256']) =>
  identitySchema.parse({
    issuers: [{ issuer: 'https://id.test', secretEnv: 'SECRET', audiences: ['a'], algorithms }],
  });

let server: KeyServer | undefined;

beforeAll(() => Logger.overrideLogger(false));

afterEach(() => server?.stop());

describe('secrets in files', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-identity-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const filed = (more: object = {}) =>
    identitySchema.parse({
      issuers: [{ issuer: 'https://id.test', secretFile: write('shared', 'x'.repeat(32)), audiences: ['a'] }],
      ...more,
    });

  it('make another section once one of them is another, though the options are the same', () => {
    const identity = new Identity(filed());
    expect(identity.prepare(filed())).toBe(identity.section);
    const options = filed();
    write('shared', 'y'.repeat(32));
    expect(identity.prepare(options)).not.toBe(identity.section);
  });

  it('are faults at their keys', () => {
    const options = filed({
      login: {
        issuer: 'https://a.test',
        clientId: 'c',
        publicOrigin: 'https://app.test',
        clientSecretFile: join(folder, 'none'),
        session: { keysFile: write('short', 'x'.repeat(31)) },
      },
      revocation: {},
      tokens: {
        dpop: { mode: 'accept', urls: ['https://a.test'], nonces: { secretFile: write('empty', '') } },
      },
    });
    expect(() => new Identity(options)).toThrow(
      expect.objectContaining({
        faults: expect.arrayContaining(
          [
            ['login', 'clientSecretFile'],
            ['login', 'session', 'keysFile'],
            ['tokens', 'dpop', 'nonces', 'secretFile'],
          ].map((at) => expect.objectContaining({ at })),
        ),
      }),
    );
  });

  it('of nonces make other nonces, and proofs that were seen stay seen', () => {
    const options = filed({
      tokens: {
        dpop: {
          mode: 'accept',
          urls: ['https://a.test'],
          nonces: { secretFile: write('nonces', 'x'.repeat(32)) },
        },
      },
    });
    const identity = new Identity(options);
    const of = (section: typeof identity.section, what: string) =>
      [...section.kept].find(([name]) => name.startsWith(`dpop ${what}`));
    write('nonces', 'y'.repeat(32));
    const next = identity.prepare(options);
    expect(of(next, 'seen')?.[1]).toBe(of(identity.section, 'seen')?.[1]);
    expect(of(next, 'nonces')?.[1]).not.toBe(of(identity.section, 'nonces')?.[1]);
    expect(of(next, 'nonces')?.[0]).not.toContain('y'.repeat(32));
  });

  it.each([
    [{ login: { clientSecretEnv: 'A', clientSecretFile: 'a' } }, 'clientSecretEnv and clientSecretFile'],
    [{ login: { session: { keysEnv: 'A', keysFile: 'a' } } }, 'keysEnv and keysFile'],
    [{ login: { session: {} } }, 'keysEnv and keysFile'],
    [{ tokens: { dpop: { nonces: { secretEnv: 'A', secretFile: 'a' } } } }, 'secretEnv and secretFile'],
  ])('are refused as %j', (given: { login?: object; tokens?: { dpop: object } }, keys) => {
    const login = {
      issuer: 'https://a.test',
      clientId: 'c',
      publicOrigin: 'https://a.test',
      session: { keysEnv: 'K' },
    };
    const dpop = { mode: 'accept', urls: ['https://a.test'], ...given.tokens?.dpop };
    const { error } = identitySchema.safeParse({
      ...(given.login && { login: { ...login, ...given.login } }),
      ...(given.tokens && { tokens: { dpop } }),
    });
    expect(JSON.stringify(error?.issues)).toContain(`expected one of ${keys}`);
  });
});

describe('Identity', () => {
  it('names the environment variable that is missing', () => {
    expect(() => new Identity(secretIssuer(), { environment: {} })).toThrow(
      'set the environment variable SECRET',
    );
  });

  it('names everything that is missing at once, and each once', () => {
    const issuer = (name: string, secretEnv: string) => ({
      issuer: `https://${name}.test`, audiences: ['a'], algorithms: ['HS256'], secretEnv,
    }); // prettier-ignore
    const options = identitySchema.parse({
      issuers: [issuer('a', 'ONE'), issuer('b', 'TWO')],
      login: {
        issuer: 'https://a.test',
        clientId: 'c',
        publicOrigin: 'https://app.test',
        clientSecretEnv: 'THREE',
        principal: 'accessToken',
        session: { keysEnv: 'FOUR', store: 'redis' },
      },
    });
    const environment = {};
    expect(() => new Identity(options, { environment })).toThrow(
      expect.objectContaining({
        faults: [
          ['issuers', 0, 'secretEnv'],
          ['issuers', 1, 'secretEnv'],
          ['login', 'session', 'keysEnv'],
          ['login', 'clientSecretEnv'],
          ['login'],
          ['login', 'session', 'store'],
        ].map((at) => expect.objectContaining({ at })),
      }),
    );
  });

  it('refuses a secret that is shorter than the hash, without repeating it', () => {
    const SECRET = 'x'.repeat(31);
    const create = () => new Identity(secretIssuer(), { environment: { SECRET } });
    expect(create).toThrow(/too weak for any algorithm; accepted are HS256/);
    expect(create).not.toThrow(/xxx/);
    const longer = { environment: { SECRET: 'x'.repeat(32) } };
    expect(() => new Identity(secretIssuer(['HS512']), longer)).toThrow(/fits HS256; accepted are HS512/);
    expect(() => new Identity(secretIssuer(), longer)).not.toThrow();
  });

  it('refuses a public key that none of the accepted algorithms can use', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    const options = identitySchema.parse({
      issuers: [{ issuer: 'https://id.test', publicKey: pem, audiences: ['a'] }],
    });
    expect(() => new Identity(options)).toThrow(/^the key fits ES384; accepted are RS256, ES256/);
  });

  it('hands its background work over to what was reloaded, and keeps what it has when that is bad', async () => {
    server = await new KeyServer().start();
    const one = { issuer: server.issuer, jwks: server.url, audiences: ['a'], jwksRefresh: '100ms' };
    const identity = new Identity(identitySchema.parse({ issuers: [one] }), { environment: {} });
    identity.start();
    const verifier = identity.verifier('jwt');
    expect(() => identity.apply(secretIssuer())).toThrow(/SECRET/);
    expect(identity.verifier('jwt')).toBe(verifier);
    while (server.requests < 2) await sleep(5);
    identity.apply(identitySchema.parse({}));
    expect(identity.verifier('jwt')).not.toBe(verifier);
    await sleep(50);
    const asked = server.requests;
    await sleep(300);
    expect(server.requests).toBe(asked);
    identity.stop();
  });

  it('goes on with the keys of an issuer that did not change, and with its tokens if nothing did', async () => {
    server = await new KeyServer().start();
    const issuer = { issuer: server.issuer, jwks: server.url, audiences: ['a'] };
    const other = { ...issuer, issuer: 'https://other.test' };
    const identity = new Identity(identitySchema.parse({ issuers: [issuer] }), { environment: {} });
    identity.start();
    while (server.requests < 1) await sleep(5);
    const { section } = identity;
    identity.hold(section);
    const next = identity.prepare(identitySchema.parse({ issuers: [issuer, other] }));
    expect([...next.kept.values()]).toEqual(expect.arrayContaining([...section.kept.values()]));
    expect(identity.prepare(section.options)).toBe(section);
    expect(identity.section).toBe(section);
    identity.hold(next);
    identity.begin(next);
    identity.release(section);
    // The new issuer was asked; the one that did not change goes on without.
    while (server.requests < 2) await sleep(5);
    await sleep(50);
    expect(server.requests).toBe(2);
    identity.stop();
  });

  it('names the file that keys cannot be read from, by its whole path', async () => {
    const said = new Promise<string>((resolve) => {
      Logger.overrideLogger({ log: resolve, warn: resolve, error: resolve });
    });
    const one = { issuer: 'https://id.test', jwksFile: 'no-such-keys.json', audiences: ['a'] };
    const identity = new Identity(identitySchema.parse({ issuers: [one] }), { environment: {} });
    identity.start();
    const path = join(process.cwd(), 'no-such-keys.json');
    expect(await said).toBe(
      `The keys of https://id.test cannot be loaded from ${path} (ENOENT); its tokens are answered with 503.`,
    );
    identity.stop();
    Logger.overrideLogger(false);
  });

  it.each<[readonly string[], number]>([
    [[''], 0],
    [['', ''], 1],
    [['a:', ''], 1],
    [['a:', 'a:b:'], 1],
    [['a:', 'b:'], 0],
    [['', '', ''], 2],
  ])('warns of issuers with prefixes %j whose ids services cannot tell apart', (prefixes, warnings) => {
    const said: string[] = [];
    Logger.overrideLogger({ log: () => {}, error: () => {}, warn: (text: string) => said.push(text) });
    const issuers = prefixes.map((idPrefix, index) => ({
      issuer: `https://${index}.test`,
      secretEnv: 'SECRET',
      audiences: ['a'],
      idPrefix,
    }));
    const identity = new Identity(identitySchema.parse({ issuers }), {
      environment: { SECRET: 'x'.repeat(32) },
    });
    identity.start();
    identity.stop();
    Logger.overrideLogger(false);
    expect(said.filter((text) => text.includes('idPrefix'))).toHaveLength(warnings);
  });
  it('takes over whether credentials can be revoked, and how, without forgetting who is', async () => {
    const identity = new Identity(identitySchema.parse({}));
    const { revocations } = identity;
    identity.start();
    expect(revocations.state).toBe('off');
    identity.apply(identitySchema.parse({ revocation: {} }));
    expect(revocations.state).toBe('alone');
    const digest = { a: 1, b: 2, c: 3 };
    expect(await revocations.revoke([{ digest, time: 2 ** 30 }])).toBe('everywhere');
    identity.apply(identitySchema.parse({ revocation: { onStoreError: 'open', longest: '1h' } }));
    expect([revocations.options?.longest, revocations.set.find(digest)]).toEqual([3_600_000, 2 ** 30]);
    identity.apply(identitySchema.parse({}));
    expect([revocations.state, revocations.options]).toEqual(['off', undefined]);
    identity.stop();
  });
});
