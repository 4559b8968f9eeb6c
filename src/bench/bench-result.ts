import { median, type Round } from './rounds.ts';
import type { Variant } from './bench-config.ts';

/** What one of them costs: medians of its rounds. */
export interface Measured {
  readonly cpuUs: number;
  readonly rps: number;
  /** In ms. */
  readonly p50: number;
  readonly p99: number;
}

/** What came of a measurement. */
export interface BenchResult {
  readonly route: string;
  readonly request: string;
  readonly upstream: string;
  readonly rounds: number;
  readonly roundMs: number;
  readonly connections: number;
  readonly gateway: Measured;
  readonly pipe: Measured;
  /** CPU of the pipe ÷ CPU of the gateway, of rounds that stood beside each other: the median, and the lowest and highest. */
  readonly ratio: { readonly median: number; readonly low: number; readonly high: number };
  /** What policies cost: CPU per request with all of them, less that without these, in microseconds. */
  readonly policies: readonly PolicyCost[];
  /** What could not be left out, and why. */
  readonly kept: readonly { readonly policy: string; readonly why: string }[];
  /** Why no policy was left out; absent where some were, or could be. */
  readonly unmeasured?: string | undefined;
}

/** What some policies cost together. */
export interface PolicyCost {
  readonly without: readonly string[];
  readonly costsUs: number;
  readonly low: number;
  readonly high: number;
}

/** Names of those who are measured. */
export const GATEWAY = 'gateway';
export const PIPE = 'bare pipe';

/** Puts together what rounds say. */
export function benchResult(
  about: Omit<BenchResult, 'gateway' | 'pipe' | 'ratio' | 'policies'>,
  found: ReadonlyMap<string, readonly Round[]>,
  variants: readonly Variant[],
): BenchResult {
  const of = (name: string): readonly Round[] => found.get(name) ?? [];
  const pairs = of(PIPE).map((pipe, at) => pipe.cpuUs / (of(GATEWAY)[at]?.cpuUs ?? NaN));
  const all = of('all');
  const policies = variants.flatMap(({ name, without }): PolicyCost[] => {
    if (without.length === 0) return [];
    const costs = of(name).map(({ cpuUs }, at) => (all[at]?.cpuUs ?? NaN) - cpuUs);
    return [{ without, costsUs: median(costs), low: Math.min(...costs), high: Math.max(...costs) }];
  });
  return {
    ...about,
    gateway: measuredOf(of(GATEWAY)),
    pipe: measuredOf(of(PIPE)),
    ratio: { median: median(pairs), low: Math.min(...pairs), high: Math.max(...pairs) },
    policies: policies.toSorted((one, other) => other.costsUs - one.costsUs),
  };
}

function measuredOf(rounds: readonly Round[]): Measured {
  const of = (key: keyof Round): number => median(rounds.map((one) => one[key]));
  return { cpuUs: of('cpuUs'), rps: of('rps'), p50: of('p50'), p99: of('p99') };
}

/** Shows what came of a measurement, in one screen. */
export function renderBench(result: BenchResult): string {
  const { route, request, upstream, rounds, roundMs, connections, ratio, policies, kept, unmeasured } =
    result;
  const row = (name: string, { cpuUs, rps, p50, p99 }: Measured): string =>
    [
      name.padEnd(10),
      us(cpuUs).padStart(12),
      rps.toFixed(0).padStart(9),
      p50.toFixed(2).padStart(8),
      p99.toFixed(2).padStart(8),
    ].join('  ');
  const lines = [
    `${route}  ${request} → ${upstream}`,
    `${rounds} rounds of ${roundMs / 1000} s in turn, ${connections} connections, one process each; medians`,
    '',
    `${' '.repeat(10)}  CPU µs/request  requests/s  p50 ms    p99 ms`
      .replace('CPU µs/request', ' CPU/request')
      .replace('requests/s', '    req/s'),
    row(PIPE, result.pipe),
    row(GATEWAY, result.gateway),
    '',
    `ratio ${ratio.median.toFixed(2)} (${ratio.low.toFixed(2)}–${ratio.high.toFixed(2)}): of 100 µs that the gateway spends, the bare pipe would need ${(ratio.median * 100).toFixed(0)}`,
    ...(policies.length === 0
      ? []
      : ['', 'what policies cost, each left out in turn (lowest–highest round)']),
    ...policies.map(
      ({ without, costsUs, low, high }) =>
        `  without ${without.join(', ')}: ${signed(-costsUs)} (${signed(-high)} to ${signed(-low)})`,
    ),
    ...kept.map(({ policy, why }) => `  ${policy} cannot be left out: ${why}`),
    ...(unmeasured === undefined ? [] : ['', unmeasured]),
    'limits of rates and quotas were raised, so that they are asked and let all pass',
  ];
  return `${lines.join('\n')}\n`;
}

function us(value: number): string {
  return `${value.toFixed(1)} µs`;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(1)} µs`;
}
