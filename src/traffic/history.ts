import type { Flow } from '../telemetry/flow.ts';
import type { Flows } from '../telemetry/flows.ts';
import { numbersOf, percentileOf, requestsIn } from './numbers.ts';
import { inSlices } from './slices.ts';
import { SlotRing, Sums } from './slot-ring.ts';
import type { FlowNumbers, Series } from './traffic-answers.ts';

const SHORT_MS = 10_000;
const LONG_STEPS = 12;
/** Points of a curve, of either length: 10 min in steps of 10 s, 2 h in steps of 2 min. */
const POINTS = 60;
/** Steps of the window that rates are of, besides the one that is not over yet. */
const WINDOW_STEPS = 6;
/** Records of each length: 60 points of 1 000 busy flows, 12 MiB. */
export const RING_RECORDS = 64 * 1024;
/** So many flows are looked at in one go. */
export const SLICE = 500;

/** Codes are counted of this time and the one before it, in long steps. */
const CODES_STEPS = 5;

/** What all routes together are recorded as; flows are numbered from 1. */
const WHOLE = 0;

/** How far back a curve goes. */
export type Range = '10m' | '2h';

/** What is known of one flow besides what it counts just now. */
interface Past {
  readonly window: Sums;
  readonly long: Sums;
  isLongTouched: boolean;
  lastSeenMs: number | undefined;
}

/**
 * What the flows of this process have counted, in bounded memory: two rings of records, and sums of the last minute. A step ends
 * every 10 s and looks only at flows that have counted something in it.
 */
export class History {
  readonly startedAt: number;
  /** How many flows the last step has looked at, and how many of them at once. For tests, and for the doctor. */
  readonly cost = { flows: 0, atOnce: 0 };
  readonly #flows: Flows;
  readonly #now: () => number;
  readonly #short: SlotRing;
  readonly #long: SlotRing;
  #longTouched: Flow[] = [];
  /** The first record of the short ring that the window still has. */
  #tail = 0;
  #step: number;
  #closing: Promise<void> | undefined = undefined;
  #codesSince: number;
  readonly #wholeShort = new Sums();
  readonly #wholeLong = new Sums();
  /** Since when codes are counted, in ms since the epoch. */
  codesSince: number;

  /** @param now in ms since the epoch. @param records of each ring. */
  constructor(flows: Flows, now: () => number = Date.now, records = RING_RECORDS) {
    this.#flows = flows;
    this.#now = now;
    this.#short = new SlotRing(records);
    this.#long = new SlotRing(records);
    this.startedAt = this.codesSince = this.#codesSince = now();
    this.#step = stepAt(this.startedAt);
  }

  /** Ends the step that is over, if one is. Resolves once that is done. */
  look(): Promise<void> {
    if (this.#closing === undefined && stepAt(this.#now()) > this.#step)
      this.#closing = inSlices(this.#close()).finally(() => (this.#closing = undefined));
    return this.#closing ?? Promise.resolve();
  }

  /** How long the window is that rates are of, in ms. */
  get windowMs(): number {
    const { end } = this.#short;
    const whole = (this.#step - WINDOW_STEPS) * SHORT_MS;
    // Where records had to make room before their time, it is shorter, and rates are of what is left.
    const isCut = this.#short.isFull && this.#tail === this.#short.first && this.#tail < end;
    const from = isCut ? this.#short.stepOf(this.#tail) * SHORT_MS : whole;
    return this.#now() - Math.max(this.startedAt, from);
  }

  /** Sums of the window. */
  windowOf(flow: Flow | undefined): Sums {
    const sums = new Sums();
    if (flow === undefined) return sums;
    sums.addFlow(flow);
    const past = pastOf(flow);
    return past === undefined ? sums : sums.add(past.window);
  }

  /** The numbers of the window. */
  numbers(flow: Flow | undefined, windowMs = this.windowMs): FlowNumbers {
    return numbersOf(this.windowOf(flow), windowMs, this.lastSeen(flow));
  }

  /** When a flow has counted last, in ms since the epoch, to within a step. */
  lastSeen(flow: Flow | undefined): number | undefined {
    if (flow === undefined) return undefined;
    return flow.isTouched ? this.#now() : pastOf(flow)?.lastSeenMs;
  }

  /** Whether a flow has counted something within the window. */
  isBusy(flow: Flow | undefined): boolean {
    if (flow === undefined || flow.isTouched) return flow !== undefined;
    const past = pastOf(flow);
    return past !== undefined && requestsIn(past.window) > 0;
  }

  /** Sums by flow over the last 10 min, or whatever is there of them; in slices. */
  async sumsOf10Minutes(): Promise<ReadonlyMap<number, Sums>> {
    const all = new Map<number, Sums>();
    await inSlices(this.#gather(all));
    return all;
  }

  /** The curve of all routes together. @param open what they have counted in the step that is not over yet. */
  whole(range: Range, open: Sums): Series {
    return this.#curve(new Set([WHOLE]), range, (point) => {
      point.add(open);
      if (range === '2h') point.add(this.#wholeLong);
    });
  }

  /** A curve; the last point is of the step that is not over yet. */
  series(flows: readonly Flow[], range: Range): Series {
    return this.#curve(new Set(flows.map(({ id }) => id)), range, (point) => {
      for (const flow of flows) {
        point.addFlow(flow);
        const past = pastOf(flow);
        if (range === '2h' && past?.isLongTouched === true) point.add(past.long);
      }
    });
  }

  #curve(ids: ReadonlySet<number>, range: Range, addOpen: (point: Sums) => void): Series {
    const isLong = range === '2h';
    const ring = isLong ? this.#long : this.#short;
    const last = isLong ? Math.floor(this.#step / LONG_STEPS) : this.#step;
    const points = Array.from({ length: POINTS }, () => new Sums());
    for (let record = ring.first; record < ring.end; record += 1) {
      const point = ring.stepOf(record) - last + POINTS - 1;
      if (point >= 0 && point < POINTS && ids.has(ring.idOf(record)))
        ring.addTo(record, points[point] as Sums);
    }
    addOpen(points.at(-1) as Sums);
    const stepMs = isLong ? SHORT_MS * LONG_STEPS : SHORT_MS;
    return seriesOf(points, stepMs, (last - POINTS + 1) * stepMs);
  }

  *#gather(all: Map<number, Sums>): Generator<void> {
    const first = this.#short.first;
    for (let record = this.#short.end - 1; record >= Math.max(first, this.#short.first); record -= 1) {
      if (this.#short.stepOf(record) <= this.#step - POINTS) return;
      const id = this.#short.idOf(record);
      let sums = all.get(id);
      if (sums === undefined) all.set(id, (sums = new Sums()));
      this.#short.addTo(record, sums);
      if (record % SLICE === 0) yield;
    }
  }

  *#close(): Generator<void> {
    const [step, next] = [this.#step, stepAt(this.#now())];
    const touched = this.#flows.takeTouched();
    const atMs = this.#now();
    this.#step = next;
    this.cost.flows = 0;
    this.cost.atOnce = 0;
    let since = 0;
    for (const flow of touched) {
      this.#keep(flow, step, atMs);
      since += 1;
      this.cost.flows += 1;
      this.cost.atOnce = Math.max(this.cost.atOnce, since);
      if (since < SLICE) continue;
      since = 0;
      yield;
    }
    if (touched.length > 0) this.#pushWhole(step);
    yield* this.#leave(next - WINDOW_STEPS);
    if (Math.floor(next / LONG_STEPS) > Math.floor(step / LONG_STEPS))
      yield* this.#closeLong(Math.floor(step / LONG_STEPS));
  }

  #keep(flow: Flow, step: number, atMs: number): void {
    const sums = scratch;
    sums.clear();
    sums.addFlow(flow);
    flow.drain();
    // Nobody could ask for one that is gone.
    if (this.#flows.byId(flow.id) !== flow) return;
    let past = pastOf(flow);
    if (past === undefined) {
      past = { window: new Sums(), long: new Sums(), isLongTouched: false, lastSeenMs: atMs };
      flow.past = past;
    }
    past.lastSeenMs = atMs;
    if (flow.kind === 'route') this.#wholeShort.add(sums);
    past.window.add(sums);
    past.long.add(sums);
    if (!past.isLongTouched) this.#longTouched.push(flow);
    past.isLongTouched = true;
    this.#makeRoom();
    this.#short.push(flow.id, step, sums);
  }

  #pushWhole(step: number): void {
    this.#makeRoom();
    this.#short.push(WHOLE, step, this.#wholeShort);
    this.#wholeLong.add(this.#wholeShort);
    this.#wholeShort.clear();
  }

  // What is still within the window leaves it as well.
  #makeRoom(): void {
    if (this.#short.isFull && this.#tail === this.#short.first) this.#drop();
  }

  /** Takes out of the window what is before a step. */
  *#leave(before: number): Generator<void> {
    for (let count = 1; this.#tail < this.#short.end; count += 1) {
      if (this.#short.stepOf(this.#tail) >= before) return;
      this.#drop();
      if (count % SLICE === 0) yield;
    }
  }

  #drop(): void {
    const flow = this.#flows.byId(this.#short.idOf(this.#tail));
    const past = flow && pastOf(flow);
    if (past !== undefined) this.#short.addTo(this.#tail, past.window, -1);
    this.#tail += 1;
  }

  *#closeLong(step: number): Generator<void> {
    const touched = this.#longTouched;
    if (touched.length > 0) this.#long.push(WHOLE, step, this.#wholeLong);
    this.#wholeLong.clear();
    this.#longTouched = [];
    let since = 0;
    for (const flow of touched) {
      const past = pastOf(flow);
      if (past === undefined) continue;
      if (this.#flows.byId(flow.id) === flow) this.#long.push(flow.id, step, past.long);
      past.long.clear();
      past.isLongTouched = false;
      since += 1;
      if (since % SLICE === 0) yield;
    }
    if (step % CODES_STEPS === 0) yield* this.#turnCodes();
  }

  *#turnCodes(): Generator<void> {
    this.codesSince = this.#codesSince;
    this.#codesSince = this.#now();
    let since = 0;
    for (const flow of this.#flows.all()) {
      flow.codesBefore = flow.codes;
      flow.codes = undefined;
      flow.splitBefore = flow.split;
      flow.split = undefined;
      since += 1;
      if (since % SLICE === 0) yield;
    }
  }
}

function pastOf(flow: Flow): Past | undefined {
  return flow.past as Past | undefined;
}

const scratch = new Sums();

function stepAt(ms: number): number {
  return Math.floor(ms / SHORT_MS);
}

function seriesOf(points: readonly Sums[], stepMs: number, fromMs: number): Series {
  return {
    stepMs,
    fromMs,
    requests: points.map(requestsIn),
    errors: points.map(({ errors }) => errors),
    refused: points.map(({ refused }) => refused),
    p50: points.map((sums) => percentileOf(sums, 0.5)),
    p95: points.map((sums) => percentileOf(sums, 0.95)),
    p99: points.map((sums) => percentileOf(sums, 0.99)),
  };
}
