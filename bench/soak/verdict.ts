import type { Seen } from './honest.ts';

/** What a look at the gateway's process shows. */
export interface Sample {
  /** Seconds since the start. */
  readonly atS: number;
  readonly rssBytes: number;
  readonly descriptors: number;
  readonly cpuUs: number;
}

/** What a soak has to keep to. */
export const LIMITS = {
  /** Of honest requests, from when they were due. */
  p99Ms: 100,
  /** How much more the last fifth may hold than the second: flat, but for what collections leave. */
  growth: 1.2,
  /** What a growth is allowed besides, for small numbers. */
  spareRssBytes: 48 * 2 ** 20,
  spareDescriptors: 50,
} as const;

/** What a soak came to: one line for each promise, and whether it was kept. */
export function judge(
  samples: readonly Sample[],
  honest: Seen,
  { running, quiet }: { readonly running: boolean; readonly quiet: Sample },
): { readonly kept: boolean; readonly line: string }[] {
  const rss = spread(samples.map(({ rssBytes }) => rssBytes));
  const open = spread(samples.map(({ descriptors }) => descriptors));
  const before = samples[0]?.descriptors ?? 0;
  const mib = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
  return [
    { kept: running, line: `the gateway ${running ? 'runs' : 'has ended'}` },
    {
      kept: honest.p99Ms < LIMITS.p99Ms,
      line: `honest p99 ${honest.p99Ms.toFixed(1)} ms (below ${LIMITS.p99Ms}), p50 ${honest.p50Ms.toFixed(1)}, max ${honest.maxMs.toFixed(0)}`,
    },
    {
      kept: honest.failures === 0,
      line: `${honest.failures} of ${honest.requests} honest requests failed ${JSON.stringify(honest.faults)}`,
    },
    {
      kept: rss.late <= rss.early * LIMITS.growth + LIMITS.spareRssBytes,
      line: `RSS ${mib(rss.early)} early, ${mib(rss.late)} late, ${mib(rss.most)} at most`,
    },
    {
      kept: open.late <= open.early * LIMITS.growth + LIMITS.spareDescriptors,
      line: `descriptors ${open.early} early, ${open.late} late, ${open.most} at most`,
    },
    {
      kept: quiet.descriptors <= before + LIMITS.spareDescriptors,
      line: `descriptors ${before} before, ${quiet.descriptors} after the attackers have left`,
    },
  ];
}

// The first fifth warms up: caches fill, pools open.
function spread(values: readonly number[]): { early: number; late: number; most: number } {
  const fifth = Math.max(1, Math.floor(values.length / 5));
  return {
    early: median(values.slice(fifth, 2 * fifth)),
    late: median(values.slice(-fifth)),
    most: Math.max(0, ...values),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
