import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { childrenOf } from './cpu.ts';
import { coreTimeOf, isSpoiled, readStolenMs, stolenMs } from './core-time.ts';

describe('the time of a core', () => {
  it('is that of a process and of its children', async () => {
    const busy = 'for (const end = process.cpuUsage().user + 3e5; process.cpuUsage().user < end; );';
    const parent = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(`${busy} console.log('done'); setInterval(() => {}, 1e3)`)}], { stdio: 'inherit' })`;
    const child = spawn(process.execPath, ['-e', parent], { stdio: ['ignore', 'pipe', 'inherit'] });
    const before = coreTimeOf([child.pid ?? 0]);
    await once(child.stdout, 'data');
    const after = coreTimeOf([child.pid ?? 0]);
    for (const pid of childrenOf(child.pid ?? 0)) process.kill(pid);
    child.kill();
    await once(child, 'exit');
    expect(after.ranMs - before.ranMs).toBeGreaterThanOrEqual(300);
    expect(after.waitedMs).toBeGreaterThanOrEqual(before.waitedMs);
  });

  it('is not that of who is gone', () => {
    expect(() => coreTimeOf([2 ** 22 + 1])).toThrow('ENOENT');
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
  [{ waitedMs: 101 }, true],
  [{ lateShare: 0.11 }, true],
  [{ stolenMs: 10, waitedMs: 100, lateShare: 0.1 }, false],
])('a round of a second with %j is spoiled: %s', (more, spoiled) => {
  expect(isSpoiled({ ms: 1000, stolenMs: 0, waitedMs: 0, lateShare: 0, ...more })).toBe(spoiled);
});
