import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SECRET_VARIABLE, withoutMissingFiles } from './made-up-secrets.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-made-up-'));
  writeFileSync(join(folder, 'there'), 'x'.repeat(32));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('has a variable in place of files that are not there, and leaves the others, and what it was given', () => {
  const value = {
    upstreams: {
      one: { sticky: { secretFile: 'there' } },
      two: { sticky: { secretFile: 'none', cookie: 'pin' } },
    },
    identity: { issuers: [{ jwks: 'http://one' }, { secretFile: '/none', algorithms: ['HS256'] }] },
  };
  const before = structuredClone(value);
  expect(withoutMissingFiles(value, folder)).toEqual({
    upstreams: {
      one: { sticky: { secretFile: 'there' } },
      two: { sticky: { secretEnv: SECRET_VARIABLE, cookie: 'pin' } },
    },
    identity: {
      issuers: [{ jwks: 'http://one' }, { secretEnv: SECRET_VARIABLE, algorithms: ['HS256'] }],
    },
  });
  expect(value).toEqual(before);
});
