import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCacheKeys } from './cache-keys.ts';

const OLD = 'o'.repeat(32);
const NEW = 'n'.repeat(32);
const FOR = { purpose: 'cache', bound: 'a' };

describe('loadCacheKeys', () => {
  it('reads the secrets of a variable: the first one encrypts, all of them decrypt', () => {
    const from = (text: string) => loadCacheKeys({ encryptionKeysEnv: 'KEYS' }, '.', { KEYS: text }).keys;
    const kept = from(OLD)?.sealBytes(Buffer.from('text'), FOR) ?? Buffer.alloc(0);
    expect(from(`${NEW}, ${OLD}`)?.openBytes(kept, FOR)?.toString()).toBe('text');
    expect(from(NEW)?.openBytes(kept, FOR)).toBeUndefined();
  });

  it('reads those of a file, a secret in each line', () => {
    const folder = mkdtempSync(join(tmpdir(), 'cache-keys-'));
    try {
      writeFileSync(join(folder, 'keys'), `${NEW}\r\n${OLD}\n`);
      const { keys, faults } = loadCacheKeys({ encryptionKeysFile: 'keys' }, folder);
      expect([keys?.name.split('.').length, faults]).toEqual([2, []]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('has none where none are wanted', () => {
    expect(loadCacheKeys(undefined, '.')).toEqual({ keys: undefined, faults: [] });
  });

  it.each([
    [
      'no variable',
      { encryptionKeysEnv: 'KEYS' },
      {},
      'encryptionKeysEnv',
      /set the environment variable KEYS/,
    ],
    [
      'short secrets',
      { encryptionKeysEnv: 'KEYS' },
      { KEYS: `${NEW},short` },
      'encryptionKeysEnv',
      /32 characters/,
    ],
    ['no file', { encryptionKeysFile: 'missing' }, {}, 'encryptionKeysFile', /ENOENT/],
  ])('says where the fault is: %s', (_, room, environment, key, message) => {
    const { keys, faults } = loadCacheKeys(room, '/nowhere', environment);
    expect(keys).toBeUndefined();
    expect(faults).toEqual([{ path: ['cache', key], message: expect.stringMatching(message) }]);
  });
});
