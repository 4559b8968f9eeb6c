import { expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const FIXTURE = fileURLToPath(new URL('allocation.fixture.ts', import.meta.url));
const FLAGS = ['--expose-gc', '--single-threaded', '--min-semi-space-size=128', '--max-semi-space-size=128'];
/** What looking at the heap makes; a single object for each of the choices would be hundreds of thousands. */
const NOTHING_BYTES = 1024;

it('makes nothing for a choice, with any balancer', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, FIXTURE]);
  const made = Object.entries(JSON.parse(stdout) as Record<string, number>);
  expect(made).toHaveLength(8);
  expect(made.filter(([, bytes]) => bytes > NOTHING_BYTES)).toEqual([]);
}, 60_000);
