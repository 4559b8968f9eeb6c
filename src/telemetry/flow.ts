/** How many buckets of durations a flow has. */
export const FLOW_BUCKETS = 40;
const UNITS_PER_MS = 16;
/** What takes longer is in the last bucket, in ms. */
const LONGEST_MS = 32_768;
const MOST_CODES = 32;
const MOST_CODE_NAMES = 'other';

/** What a flow counts: requests of a route, attempts at an upstream, runs of an operation, … */
export type FlowKind = 'route' | 'upstream' | 'target' | 'operation' | 'section' | 'call';

/** How something that is counted ended: well, as a fault, or refused. */
export type FlowEnd = 0 | 1 | 2;
export const [WELL, FAILED, REFUSED] = [0, 1, 2] as const satisfies readonly FlowEnd[];

/** The bucket of a duration: they begin at 1/16 ms, and there are two for each doubling. */
export function bucketOf(ms: number): number {
  if (ms >= LONGEST_MS) return FLOW_BUCKETS - 1;
  const units = (ms * UNITS_PER_MS) | 0;
  if (units < 1) return 0;
  const doublings = 31 - Math.clz32(units);
  const half = doublings === 0 ? 0 : (units >> (doublings - 1)) & 1;
  return 1 + 2 * doublings + half;
}

/** Where a bucket begins, in ms. */
export function bucketStart(bucket: number): number {
  if (bucket === 0) return 0;
  const doublings = (bucket - 1) >> 1;
  const half = (bucket - 1) & 1;
  return (2 ** doublings * (1 + half / 2)) / UNITS_PER_MS;
}

/** Where flows are listed that have counted something since somebody has looked. */
export interface TouchedFlows {
  touched: Flow[];
}

/**
 * What has happened at one place since somebody has {@link drain drained} it. Counting is a few increments; whoever keeps
 * history reads them every few seconds, and only of flows that have counted something.
 */
export class Flow {
  readonly id: number;
  readonly kind: FlowKind;
  /** Of the configuration or the code, never of a client. */
  readonly name: string;
  /** How many took how long; those that were refused are not among them. */
  readonly counts = new Uint32Array(FLOW_BUCKETS);
  errors = 0;
  refused = 0;
  sumMs = 0;
  maxMs = 0;
  /** What else adds up, such as costs of operations. */
  extra = 0;
  extraMost = 0;
  /** What takes longer than this, in ms, is among the slowest that are kept. Written by whoever keeps them. */
  slowMs = 0;
  isTouched = false;
  /** How often something was said of it, by what it was; bounded. Rare: of refusals and faults. */
  codes: Map<string, number> | undefined = undefined;
  /** The same of the time before; written by who keeps {@link past}. */
  codesBefore: ReadonlyMap<string, number> | undefined = undefined;
  /** Where the time of those that were watched went, see the room of traffic; cleared with {@link codes}. */
  split: Float64Array | undefined = undefined;
  splitBefore: Float64Array | undefined = undefined;
  /** What is kept of what was drained; only who keeps it looks inside. */
  past: object | undefined = undefined;
  readonly #list: TouchedFlows;

  constructor(id: number, kind: FlowKind, name: string, list: TouchedFlows) {
    this.id = id;
    this.kind = kind;
    this.name = name;
    this.#list = list;
  }

  /** Counts one. */
  count(ms: number, end: FlowEnd): void {
    if (!this.isTouched) this.#touch();
    if (end === REFUSED) {
      this.refused += 1;
      return;
    }
    const bucket = bucketOf(ms);
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.sumMs += ms;
    if (ms > this.maxMs) this.maxMs = ms;
    if (end === FAILED) this.errors += 1;
  }

  /** Adds to {@link extra}. */
  add(extra: number): void {
    if (!this.isTouched) this.#touch();
    this.extra += extra;
    if (extra > this.extraMost) this.extraMost = extra;
  }

  /** Counts what was said of one: a code. */
  say(code: string): void {
    const codes = (this.codes ??= new Map());
    const known = codes.get(code);
    const key = known !== undefined || codes.size < MOST_CODES ? code : MOST_CODE_NAMES;
    codes.set(key, (codes.get(key) ?? 0) + 1);
  }

  /** Begins anew: all that was counted was read. */
  drain(): void {
    this.isTouched = false;
    this.counts.fill(0);
    this.errors = this.refused = this.sumMs = this.maxMs = this.extra = 0;
  }

  #touch(): void {
    this.isTouched = true;
    this.#list.touched.push(this);
  }
}
