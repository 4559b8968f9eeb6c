import type { Flow } from '../telemetry/flow.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { History, Range } from './history.ts';
import type { KeptExchanges } from './kept-exchanges.ts';
import { requestsIn, shown } from './numbers.ts';
import { Sums } from './slot-ring.ts';
import type { Kept, OperationAnswer, OperationRow, ViewAnswer, ViewRow } from './traffic-answers.ts';

const MOST_RUNS = 20;
const MOST_ERRORS = 10;

/** What operations and views are read from. */
export interface OperationDeps {
  readonly metrics: Metrics;
  readonly history: History;
  readonly kept: KeptExchanges;
}

/** All operations that were run; their names are bounded as in the metrics. */
export function operationRows({ metrics, history }: OperationDeps): readonly OperationRow[] {
  return metrics.flows.all('operation').map((flow) => operationRow(flow, history));
}

/** One operation. @param type where two have one name. */
export function operationAnswer(
  { metrics, history, kept }: OperationDeps,
  name: string,
  { type, range }: { readonly type?: string | undefined; readonly range: Range },
): OperationAnswer | undefined {
  const flow = metrics.flows.all('operation').find((one) => isNamed(one, name, type));
  if (flow === undefined) return undefined;
  const runs = kept.list({ operation: flow.name }).slice(0, MOST_RUNS);
  return {
    row: operationRow(flow, history),
    series: history.series([flow], range),
    ...newestRun(runs),
    runs: runs.map(brief),
  };
}

function isNamed(flow: Flow, name: string, type: string | undefined): boolean {
  const [flowType, flowName] = partsOf(flow.name);
  return flowName === name && (type === undefined || flowType === type);
}

function operationRow(flow: Flow, history: History): OperationRow {
  const [type, name] = partsOf(flow.name);
  const sums = history.windowOf(flow);
  const ran = requestsIn(sums) - sums.refused;
  const codes = new Map(flow.codesBefore);
  for (const [code, count] of flow.codes ?? []) codes.set(code, (codes.get(code) ?? 0) + count);
  return {
    name,
    type,
    ...history.numbers(flow),
    cost: flow.extraMost === 0 || ran === 0 ? null : shown(sums.extra / ran),
    costMax: flow.extraMost === 0 ? null : flow.extraMost,
    errors: [...codes]
      .map(([code, count]) => ({ code, count }))
      .sort((one, other) => other.count - one.count)
      .slice(0, MOST_ERRORS),
  };
}

/** Views and aggregates that have run, by their sections. */
export function viewRows({ metrics, history }: OperationDeps): readonly ViewRow[] {
  const sections = Map.groupBy(metrics.flows.all('section'), (flow) => partsOf(flow.name)[0]);
  const windowMs = history.windowMs;
  return [...sections].map(([name, flows]) => {
    const sums = flows.reduce((all, flow) => all.add(history.windowOf(flow)), new Sums());
    const busiest = Math.max(...flows.map((flow) => requestsIn(history.windowOf(flow))));
    const requests = requestsIn(sums);
    const p95s = flows.map((flow) => history.numbers(flow).p95 ?? -1);
    const slowest = Math.max(...p95s);
    return {
      name,
      sections: flows.length,
      rps: shown((busiest * 1000) / Math.max(1000, windowMs)),
      p95: slowest < 0 ? null : slowest,
      errorRate: requests === 0 ? 0 : shown(sums.errors / requests),
    };
  });
}

/** One view or aggregate. */
export function viewAnswer({ metrics, history, kept }: OperationDeps, name: string): ViewAnswer | undefined {
  const flows = metrics.flows.all('section').filter((flow) => partsOf(flow.name)[0] === name);
  if (flows.length === 0) return undefined;
  const runs = kept
    .list()
    .filter(({ waterfall }) =>
      waterfall?.some((bar) => bar.sort === 'section' && bar.name.startsWith(`${name}.`)),
    )
    .slice(0, MOST_RUNS);
  return {
    name,
    sections: flows.map((flow) => ({ name: partsOf(flow.name)[1], ...history.numbers(flow) })),
    ...newestRun(runs),
    runs: runs.map(brief),
  };
}

function newestRun(runs: readonly Kept[]): Pick<OperationAnswer, 'waterfall' | 'run'> {
  const run = runs.find(({ waterfall }) => waterfall !== undefined);
  return { waterfall: run?.waterfall ?? null, run: run === undefined ? null : brief(run) };
}

/** One that is kept without what only a page of its own shows. */
export function brief({ waterfall: _bars, line: _line, ...rest }: Kept): Kept {
  return rest;
}

// What comes first has no space in it: a type, or the name of a view or a route.
function partsOf(name: string): readonly [string, string] {
  const end = name.indexOf(' ');
  return [name.slice(0, end), name.slice(end + 1)];
}
