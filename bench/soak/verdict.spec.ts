import type { Seen } from './honest.ts';
import { judge, type Sample } from './verdict.ts';

const MIB = 2 ** 20;
const HONEST: Seen = { requests: 1000, failures: 0, p50Ms: 2, p99Ms: 20, maxMs: 50, faults: {} };

function sample(rssMib: number, descriptors: number): Sample {
  return { atS: 0, rssBytes: rssMib * MIB, descriptors, cpuUs: 0 };
}

function broken(samples: readonly Sample[], honest: Seen = HONEST, quiet = sample(300, 30)): string[] {
  return judge(samples, honest, { running: true, quiet })
    .filter(({ kept }) => !kept)
    .map(({ line }) => line);
}

describe('the verdict of a soak', () => {
  const flat = Array.from({ length: 50 }, () => sample(300, 100));

  it('keeps every promise when nothing grows and nobody waits', () => {
    expect(broken([sample(200, 30), ...flat])).toEqual([]);
  });

  it('is broken by memory that goes on growing after the first fifth', () => {
    const growing = Array.from({ length: 50 }, (_, index) => sample(300 + index * 10, 100));
    expect(broken(growing)).toEqual([expect.stringMatching(/^RSS 450 MiB early, 750 MiB late/)]);
  });

  it('is broken by descriptors that grow, and by those that stay', () => {
    const growing = Array.from({ length: 50 }, (_, index) => sample(300, 30 + index * 10));
    expect(broken(growing, HONEST, sample(300, 500))).toEqual([
      expect.stringContaining('descriptors 180 early'),
      expect.stringContaining('descriptors 30 before, 500 after'),
    ]);
  });

  it('is broken by honest requests that wait or fail', () => {
    const unlucky = { ...HONEST, p99Ms: 100, failures: 1, faults: { '/x 503': 1 } };
    expect(broken([sample(200, 30), ...flat], unlucky)).toEqual([
      expect.stringContaining('honest p99 100.0 ms'),
      expect.stringContaining('1 of 1000 honest requests failed'),
    ]);
  });
});
