import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { canBeSecret, secretFilesOf, secretsDigest, textOf } from './secret-files.ts';
import { LARGEST_SECRET } from './secret-file.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-secrets-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const found = (value: unknown, at?: readonly string[]): unknown =>
  secretFilesOf(value, '/etc/gatehouse', at).map(({ path, file }) => [path.join('.'), file]);

describe('the files with secrets of a configuration', () => {
  it('start from its folder below upstreams, cache and the signing of identity, else from the working directory', () => {
    expect(
      found({
        cache: { encryptionKeysFile: 'cache.key' },
        identity: {
          signing: { secretFile: 'signing.key' },
          issuers: [{ secretFile: 'shared' }],
          login: { clientSecretFile: '/run/client', session: { keysFile: 'sessions' } },
        },
        upstreams: { one: { sticky: { secretFile: 'sticky' } } },
        routes: [
          { canary: { secretFile: 'canary' }, policies: { idempotency: { encryptionKeysFile: 'i' } } },
        ],
      }),
    ).toEqual([
      ['cache.encryptionKeysFile', '/etc/gatehouse/cache.key'],
      ['identity.signing.secretFile', '/etc/gatehouse/signing.key'],
      ['identity.issuers.0.secretFile', resolve('shared')],
      ['identity.login.clientSecretFile', '/run/client'],
      ['identity.login.session.keysFile', resolve('sessions')],
      ['upstreams.one.sticky.secretFile', '/etc/gatehouse/sticky'],
      ['routes.0.canary.secretFile', resolve('canary')],
      ['routes.0.policies.idempotency.encryptionKeysFile', resolve('i')],
    ]);
  });

  it('are known in a part of it as well', () => {
    expect(found({ signing: { secretFile: 'a' } }, ['identity'])).toEqual([
      ['identity.signing.secretFile', '/etc/gatehouse/a'],
    ]);
  });

  it('are not those that hold no secret, nor what is read again for each question', () => {
    expect(found({ jwksFile: 'keys.json', consul: { tokenFile: 'token' }, configFile: 1 })).toEqual([]);
  });
});

describe('their digest', () => {
  it('changes with what a file holds, and when it comes and goes', () => {
    const named = secretFilesOf({ secretFile: join(folder, 'one') }, folder);
    const seen = new Set([secretsDigest(named)]);
    for (const text of ['a', 'b']) {
      writeFileSync(join(folder, 'one'), text);
      seen.add(secretsDigest(named));
      expect(secretsDigest(named)).toBe(secretsDigest(named));
    }
    expect(seen.size).toBe(3);
  });
});

it('a file that cannot be read has no text', () => {
  expect(textOf(join(folder, 'none'))).toBeNull();
});

it.each([
  [0, false],
  [1, true],
  [LARGEST_SECRET, true],
  [LARGEST_SECRET + 1, false],
])('%d bytes can be a secret: %j', (bytes, can) => {
  expect(canBeSecret(bytes)).toBe(can);
});
