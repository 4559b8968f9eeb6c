import { Counter, type Registry } from 'prom-client';

/** How a counter is called, and the names of its labels: two or three. */
export interface LabelCounterOptions {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
}

interface Cell {
  readonly labels: Record<string, string>;
  value: number;
}

/** A counter that only counts on the request path; prom-client gets the totals at a scrape. */
export class LabelCounter {
  readonly #names: readonly string[];
  readonly #cells = new Map<string, Cell>();

  constructor({ name, help, labels }: LabelCounterOptions, registry: Registry) {
    const cells = this.#cells;
    this.#names = labels;
    new Counter({
      name,
      help,
      labelNames: labels,
      registers: [registry],
      collect() {
        this.reset();
        for (const cell of cells.values()) this.inc(cell.labels, cell.value);
      },
    });
  }

  /** Counts. Values are names of ours, none of which has a line break. */
  count(first: string, second: string, third = '', by = 1): void {
    const key = `${first}\n${second}\n${third}`;
    const cell = this.#cells.get(key);
    if (cell === undefined) this.#add(key, [first, second, third], by);
    else cell.value += by;
  }

  /** Shows no more what was counted for these values of the first label. */
  forget(values: ReadonlySet<string>): void {
    for (const key of this.#cells.keys())
      if (values.has(key.slice(0, key.indexOf('\n')))) this.#cells.delete(key);
  }

  #add(key: string, values: readonly string[], value: number): void {
    const labels = Object.fromEntries(this.#names.map((name, index) => [name, values[index] ?? '']));
    this.#cells.set(key, { labels, value });
  }
}
