import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepCallers } from './demo-callers.ts';

let folder: string;
let made: number;
const ended = new AbortController();
const identity = { token: async (user: string) => `${user}-${(made += 1)}` };

beforeEach(async () => {
  made = 0;
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-callers-'));
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
});
afterEach(async () => {
  jest.useRealTimers();
  await rm(folder, { recursive: true });
});

const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');

it('keeps a header field for each caller, renews tokens, and lets nobody else read them', async () => {
  await keepCallers({ folder, identity, apiKey: 'the-key' }, ended.signal);
  expect((await readdir(folder)).sort()).toEqual(['admin', 'guest', 'key', 'user']);
  for (const name of await readdir(folder)) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  expect([await read('user'), await read('key')]).toEqual([
    'Authorization: Bearer user-2\n',
    'X-API-Key: the-key\n',
  ]);

  jest.advanceTimersByTime(10 * 60_000);
  while ((await read('guest')) !== 'Authorization: Bearer guest-6\n') await new Promise(setImmediate);
  expect(await read('user')).toBe('Authorization: Bearer user-5\n');
  expect((await stat(join(folder, 'user'))).mode & 0o777).toBe(0o600);

  ended.abort();
  expect(jest.getTimerCount()).toBe(0);
});
