import type { IncomingMessage } from 'node:http';
import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import type { Exchange } from '../exchange/exchange.ts';
import { Timings } from '../exchange/timings.ts';
import type { Flow } from '../telemetry/flow.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { SpanLog } from '../telemetry/span-log.ts';
import { ClientSketch } from './client-sketch.ts';
import { History } from './history.ts';
import { KeepBudget } from './keep-budget.ts';
import { clientOf, keptOf, saidBy, UNMATCHED, type ClosedExchange } from './kept-exchange.ts';
import { KeptExchanges } from './kept-exchanges.ts';
import { noteSplit } from './split.ts';
import type { KeptOutcome } from './traffic-answers.ts';
import { MOST_BARS } from './waterfall.ts';

const SECOND_MS = 1000;
/** So many requests of a second are counted by caller each; beyond, one of sixteen stands for all of them. */
const CALLERS_A_SECOND = 200;
const SIXTEENTH = 15;
/** The stages that refuse for asking too often. */
const LIMITS: ReadonlySet<string> = new Set(['limit', 'quota']);

/** How an exchange has ended, for operators. */
export type Ending = 'well' | 'failed' | 'refused';

/**
 * What operators see of the traffic of this process, live and for a few hours back, without anything beside it. All of it is
 * bounded, see docs/traffic.md.
 */
@Injectable()
export class Traffic implements OnModuleInit, OnModuleDestroy {
  readonly history: History;
  readonly kept: KeptExchanges;
  readonly clients: ClientSketch;
  readonly #metrics: Metrics;
  readonly #budget = new KeepBudget();
  readonly #listeners = new Set<() => void>();
  #called = 0;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    this.history = new History(metrics.flows);
    this.kept = new KeptExchanges();
    this.clients = new ClientSketch();
  }

  onModuleInit(): void {
    this.#timer = setInterval(() => this.tick(), SECOND_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.#timer);
  }

  /** Another second has begun. */
  tick(): void {
    this.#budget.renew();
    this.#called = 0;
    this.clients.look();
    for (const route of this.kept.look()) {
      const flow = this.#metrics.flows.find('route', route);
      if (flow !== undefined) flow.slowMs = 0;
    }
    void this.history.look();
    for (const listener of this.#listeners) listener();
  }

  /** Calls back each second. @returns what ends that. */
  onTick(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Takes notes of what an exchange does, of a few in a second; undefined for most. */
  watch({ headers }: Pick<IncomingMessage, 'headers'>): SpanLog | undefined {
    // What lasts as long as its two sides want would hold what is noted of it for as long.
    if (headers.upgrade !== undefined) return undefined;
    return this.#budget.watches() ? new SpanLog(MOST_BARS, false) : undefined;
  }

  /** An exchange begins that is watched. */
  watched(exchange: Exchange): void {
    exchange.timings = new Timings(exchange.startedAt, exchange.startedAt);
  }

  /** Counts who asks: of every request, so that it only looks twice at a few. */
  called(exchange: Exchange, ending: Ending): void {
    this.#called += 1;
    const isCounted = this.#called <= CALLERS_A_SECOND;
    // Of a flood of refusals from everywhere, too: whoever sends it would have each of them looked for.
    if (!isCounted && (this.#called & SIXTEENTH) !== 0) return;
    this.#noteCaller(exchange, ending === 'refused', isCounted ? 1 : SIXTEENTH + 1);
  }

  /** Keeps an exchange that was refused, has failed, or is among the slowest, unless there are too many at once. */
  note(closed: ClosedExchange, flow: Flow, ending: Ending): void {
    const { exchange, notes, durationMs } = closed;
    if (notes !== undefined) noteSplit(flow, exchange, durationMs);
    const outcome = this.#outcomeOf(closed, flow, ending);
    if (outcome === undefined) return;
    const isKept =
      outcome === 'sample' ? this.#budget.samples() : this.#budget.keeps(exchange.route?.id ?? UNMATCHED);
    if (!isKept) {
      if (ending !== 'well') this.kept.skipped += 1;
      return;
    }
    const floorMs = this.kept.keep(keptOf(closed, outcome, Date.now()));
    if (floorMs !== undefined) flow.slowMs = floorMs;
  }

  #outcomeOf({ notes, durationMs }: ClosedExchange, flow: Flow, ending: Ending): KeptOutcome | undefined {
    if (ending !== 'well') return ending;
    if (durationMs > flow.slowMs) return 'slow';
    return notes?.some(({ sort }) => sort === 'operation' || sort === 'section') === true
      ? 'sample'
      : undefined;
  }

  #noteCaller(exchange: Exchange, isRefused: boolean, weight: number): void {
    const problem = isRefused ? saidBy(exchange) : undefined;
    const isLimited = problem !== undefined && LIMITS.has(problem.entry.stage);
    this.clients.note({
      client: clientOf(exchange),
      kind: exchange.principal === undefined ? 'address' : 'principal',
      route: exchange.route?.id ?? UNMATCHED,
      weight,
      isRefused,
      limitedBy: isLimited ? (problem.by ?? problem.code) : undefined,
      left: exchange.limit,
    });
  }
}
