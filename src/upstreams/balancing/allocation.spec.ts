import { expect, it } from '@jest/globals';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const FIXTURE = fileURLToPath(new URL('allocation.fixture.ts', import.meta.url));
const FLAGS = ['--expose-gc', '--single-threaded', '--min-semi-space-size=128', '--max-semi-space-size=128'];
const PICKS = 50_000;
/** Nothing; or the number that the clock says, which the language puts into an object. */
const MOST_BYTES = { nothing: 1024, clock: 17 * PICKS };

it('makes nothing for a choice, with any balancer', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, FIXTURE]);
  const made = Object.entries(JSON.parse(stdout) as Record<string, number>);
  expect(made).toHaveLength(8);
  expect(
    made.filter(([name, bytes]) => bytes > MOST_BYTES[name.includes('ewma') ? 'clock' : 'nothing']),
  ).toEqual([]);
}, 60_000);
