import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readLongSecret, readSecret, readSecrets, type SecretPlace } from './secrets.ts';

const LONG = 'a'.repeat(32);
const OTHER = 'b'.repeat(40);
const environment = { SHORT: 'hunter2', LONG, BOTH: ` ${LONG}, ${OTHER},`, EMPTY: '', BLANK: ' , ' };
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'secrets-'));
  await writeFile(join(folder, 'one'), `${LONG}\n`);
  await writeFile(join(folder, 'two'), `${LONG}\r\n${OTHER}\n`);
  await writeFile(join(folder, 'none'), '\n');
});

afterAll(() => rm(folder, { recursive: true }));

const inVariable = (variable: string): SecretPlace => ({ variable, environment });
const inFile = (file: string): SecretPlace => ({ file, folder });

describe('a secret', () => {
  it('is read as it is', () => {
    expect(readSecret(inVariable('SHORT'))).toBe('hunter2');
    expect(readSecret(inFile('one'))).toBe(LONG);
    expect(readLongSecret(inVariable('LONG'))).toBe(LONG);
  });

  it('can be one of several', () => {
    expect(readSecrets(inVariable('BOTH'))).toEqual([LONG, OTHER]);
    expect(readSecrets(inFile('two'))).toEqual([LONG, OTHER]);
    const lines = { variable: 'X', environment: { X: `${LONG}, too\n${OTHER}` } };
    expect(readSecrets(lines, /\n/)).toEqual([`${LONG}, too`, OTHER]);
  });

  it.each([
    [readSecret, 'NONE', 'set the environment variable NONE'],
    [readLongSecret, 'EMPTY', 'set the environment variable EMPTY'],
    [readSecrets, 'BLANK', 'set the environment variable BLANK'],
    [readLongSecret, 'SHORT', 'expected SHORT to have 32 characters or more for each secret, there are 7'],
    [readSecrets, 'SHORT', 'expected SHORT to have 32 characters or more for each secret, there are 7'],
  ])('that is not fit is refused without being told: %p of %s', (read, variable, message) => {
    expect(() => read(inVariable(variable))).toThrow(message);
    expect(() => read(inVariable(variable))).not.toThrow('hunter2');
  });

  it('that stands where the name of a variable is expected is not told', () => {
    const refused = 'set the environment variable that is named here; it is not shown';
    expect(() => readSecret(inVariable('s3cret90000000000000000000000000'))).toThrow(refused);
    const long = `A_LONG_NAME_THAT_IS_WRITTEN_AS_NAMES_ARE`;
    expect(() => readSecret(inVariable(long))).toThrow(`set the environment variable ${long}`);
  });

  it('in a file that is not there, or empty, names the file', () => {
    expect(() => readSecret(inFile('nowhere'))).toThrow(/cannot read \/.*nowhere \(ENOENT\)/);
    expect(() => readSecrets(inFile('none'))).toThrow('expected a secret in none, which is empty');
  });
});
