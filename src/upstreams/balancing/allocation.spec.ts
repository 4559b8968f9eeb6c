import { expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const FIXTURE = fileURLToPath(new URL('allocation.fixture.ts', import.meta.url));
const FLAGS = ['--expose-gc', '--single-threaded', '--max-semi-space-size=256'];
/** Half of what the smallest object for each of the 50,000 choices would be: numbers may be put into one now and then. */
const MOST_BYTES = 400_000;

it('makes nothing for a choice, with any balancer', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, FIXTURE]);
  const made = Object.entries(JSON.parse(stdout) as Record<string, number>);
  expect(made).toHaveLength(8);
  expect(made.filter(([, bytes]) => bytes > MOST_BYTES)).toEqual([]);
}, 60_000);
