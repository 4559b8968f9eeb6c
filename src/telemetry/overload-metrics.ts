import { Gauge, type Registry } from 'prom-client';
import { LabelCounter } from './label-counter.ts';

/** The adaptive limit of a target, as it is shown. */
export interface ShownLimit {
  readonly upstream: string;
  /** `host:port`. */
  readonly host: string;
  readonly limit: { readonly value: number; readonly waiting: number };
}

/** How many of a kind are under way, and how many wait. */
export interface ShownSlots {
  readonly route: string;
  readonly key: string;
  readonly inFlight: number;
  readonly waiting: number;
}

/** How many calls an upstream may have under way, and has. */
export interface ShownCap {
  readonly upstream: string;
  readonly inFlight: number;
  readonly most: number;
}

/** How much the gateway has to do, each from 0 for what it can bear to 1 for what it cannot. */
export interface ShownLoad {
  /** After hysteresis: what requests are refused by. */
  readonly level: number;
  /** By sensor, as it was read last. */
  readonly pressures: Readonly<Record<string, number>>;
}

const NONE: readonly ShownSlots[] = [];

/** What is refused for want of capacity, and how near to that everything is; read when it is asked for. */
export class OverloadMetrics {
  readonly #registry: Registry;
  readonly #refusals: LabelCounter;
  readonly #limits = new Set<ShownLimit>();
  #slots: (() => Iterable<ShownSlots>) | undefined = undefined;
  #load: (() => ShownLoad) | undefined = undefined;
  #caps: (() => readonly ShownCap[]) | undefined = undefined;
  #showsCaps = false;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#refusals = new LabelCounter(
      {
        name: 'gatehouse_overload_refusals_total',
        help: 'Requests, operations and calls that were refused for want of capacity, which are no faults.',
        labels: ['route', 'code', 'by'],
      },
      registry,
    );
  }

  /** Counts a refusal. @param by which limit, upstream or class it was. */
  refused(route: string, code: string, by: string): void {
    this.#refusals.count(route, code, by);
  }

  /** Shows nothing more of routes that are gone. */
  forget(routes: ReadonlySet<string>): void {
    this.#refusals.forget(routes);
  }

  /** Shows the adaptive limit of a target. @returns what takes it away. */
  limitMade(limit: ShownLimit): () => void {
    if (this.#limits.size === 0) this.#showLimits();
    this.#limits.add(limit);
    return () => void this.#limits.delete(limit);
  }

  /** Shows how many requests are under way where that is limited. */
  showSlots(read: () => Iterable<ShownSlots>): void {
    const isFirst = this.#slots === undefined;
    this.#slots = read;
    if (!isFirst) return;
    const gauge = (name: string, help: string, value: (slots: ShownSlots) => number): void =>
      this.#gauge(`gatehouse_concurrency_${name}`, help, ['route', 'key'], (set) => {
        for (const one of this.#slots?.() ?? NONE) set({ route: one.route, key: one.key }, value(one));
      });
    gauge('in_flight', 'Requests under way where `concurrency` limits them.', (one) => one.inFlight);
    gauge('queued', 'Requests that wait for a place of `concurrency`.', (one) => one.waiting);
  }

  /** Shows how many calls are under way at upstreams where that is limited, in place of those that were shown before. */
  showCaps(read: () => readonly ShownCap[]): void {
    this.#caps = read;
    if (this.#showsCaps || read().length === 0) return;
    this.#showsCaps = true;
    const gauge = (name: string, help: string, value: (cap: ShownCap) => number): void =>
      this.#gauge(`gatehouse_upstream_${name}`, help, ['upstream'], (set) => {
        for (const one of this.#caps?.() ?? []) set({ upstream: one.upstream }, value(one));
      });
    gauge(
      'in_flight',
      'Calls under way at all targets of an upstream that has `maxInFlight`.',
      (one) => one.inFlight,
    );
    gauge('in_flight_limit', 'The `maxInFlight` of an upstream.', (one) => one.most);
  }

  /** Shows how much the gateway has to do. */
  showLoad(read: () => ShownLoad): void {
    const isFirst = this.#load === undefined;
    this.#load = read;
    if (!isFirst) return;
    this.#gauge(
      'gatehouse_load_shedding_level',
      'How much the gateway has to do: from 0, where nothing is refused for it, to 1.',
      [],
      (set) => set({}, this.#load?.().level ?? 0),
    );
    this.#gauge(
      'gatehouse_load_pressure',
      'How far a sensor of load is on its way from where shedding begins, 0, to where it is full, 1.',
      ['sensor'],
      (set) => {
        for (const [sensor, value] of Object.entries(this.#load?.().pressures ?? {})) set({ sensor }, value);
      },
    );
  }

  #showLimits(): void {
    const gauge = (name: string, help: string, value: (limit: ShownLimit['limit']) => number): void => {
      if (this.#registry.getSingleMetric(name) !== undefined) return;
      this.#gauge(name, help, ['upstream', 'target'], (set) => {
        for (const { upstream, host, limit } of this.#limits) set({ upstream, target: host }, value(limit));
      });
    };
    gauge(
      'gatehouse_target_concurrency_limit',
      'How many calls may wait for an answer of a target, by its adaptive limit.',
      ({ value }) => value,
    );
    gauge(
      'gatehouse_target_concurrency_in_flight',
      'How many calls wait for an answer of a target with an adaptive limit.',
      ({ waiting }) => waiting,
    );
  }

  #gauge(
    name: string,
    help: string,
    labelNames: string[],
    read: (set: (labels: Record<string, string>, value: number) => void) => void,
  ): void {
    new Gauge({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        read((labels, value) => this.set(labels, value));
      },
    });
  }
}
