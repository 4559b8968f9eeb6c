import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { grownMs, isSpoiled, ranMsOf, readStolenMs, stolenMs, strangersOf } from './core-time.ts';
import { childrenOf } from './cpu.ts';

const BUSY = 'for (const end = process.cpuUsage().user + 3e5; process.cpuUsage().user < end; );';

describe('the time of a core', () => {
  it('is that of a process and of its children, who are no strangers to it', async () => {
    const line = JSON.stringify(`${BUSY} console.log('done'); setInterval(() => {}, 1e3)`);
    const parent = `require('node:child_process').spawn(process.execPath, ['-e', ${line}], { stdio: 'inherit' })`;
    const child = spawn(process.execPath, ['-e', parent], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = child.pid ?? 0;
    const before = ranMsOf([pid]);
    await once(child.stdout, 'data');
    const after = ranMsOf([pid]);
    const [grandchild = 0] = childrenOf(pid);
    const [ours, others] = [strangersOf(process.pid), strangersOf(grandchild)];
    process.kill(grandchild);
    child.kill();
    await once(child, 'exit');
    expect(after - before).toBeGreaterThanOrEqual(300);
    expect(ours.has(pid) || ours.has(grandchild) || ours.has(process.pid)).toBe(false);
    expect(others.has(grandchild)).toBe(false);
    expect(others.get(process.pid)).toBeGreaterThan(0);
  });

  it('is not that of who is gone', () => {
    expect(() => ranMsOf([2 ** 22 + 1])).toThrow('ENOENT');
  });

  it('of strangers is what they have run since, those included that are new', () => {
    const before = new Map([[1, 100], [2, 50], [3, 70]]); // prettier-ignore
    // The third has ended, and its number is another process by now; the fourth is new.
    const after = new Map([[1, 130], [3, 10], [4, 20]]); // prettier-ignore
    expect(grownMs(before, after)).toBe(50);
  });

  it('is told apart from what the host took', () => {
    const text = 'cpu  8622834 197267 865768 2187178 12666 0 59304 55678 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n';
    expect(readStolenMs(text)).toBe(556_780);
    expect(readStolenMs('')).toBe(0);
    expect(stolenMs()).toBeGreaterThanOrEqual(0);
  });
});

it.each([
  [{}, false],
  [{ stolenMs: 11 }, true],
  [{ strangersMs: 51 }, true],
  [{ lateShare: 0.11 }, true],
  [{ stolenMs: 10, strangersMs: 50, lateShare: 0.1 }, false],
])('a round of a second with %j is spoiled: %s', (more, spoiled) => {
  expect(isSpoiled({ ms: 1000, stolenMs: 0, strangersMs: 0, lateShare: 0, ...more })).toBe(spoiled);
});
