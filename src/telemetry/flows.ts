import { Flow, type FlowKind } from './flow.ts';

/** How many flows there are at most, of all kinds. */
export const MOST_FLOWS = 30_000;
/** What those are called that have no flow of their own. */
export const OTHER_FLOW = 'other';

/** The flows of a process: a bounded number, with names of the configuration and of the code. */
export class Flows {
  /** Those that have counted something since {@link takeTouched}. */
  touched: Flow[] = [];
  readonly #all = new Map<string, Flow>();
  readonly #ids = new Map<number, Flow>();
  readonly #most: number;
  #lastId = 0;

  /** @param most how many there are at most; what comes beyond shares one of its kind. */
  constructor(most = MOST_FLOWS) {
    this.#most = most;
  }

  get size(): number {
    return this.#all.size;
  }

  /** The flow of a name, made on first use; whoever counts often keeps it. */
  of(kind: FlowKind, name: string): Flow {
    const known = this.#all.get(`${kind} ${name}`);
    if (known !== undefined) return known;
    return this.#all.size < this.#most || name === OTHER_FLOW
      ? this.#make(kind, name)
      : this.of(kind, OTHER_FLOW);
  }

  /** The same, without making one. */
  find(kind: FlowKind, name: string): Flow | undefined {
    return this.#all.get(`${kind} ${name}`);
  }

  byId(id: number): Flow | undefined {
    return this.#ids.get(id);
  }

  /** All of them, or all of one kind. */
  all(kind?: FlowKind): readonly Flow[] {
    const all = [...this.#all.values()];
    return kind === undefined ? all : all.filter((one) => one.kind === kind);
  }

  /** Keeps nothing more of names that are gone; ids are never given again. */
  forget(kind: FlowKind, names: Iterable<string>): void {
    for (const name of names) {
      const flow = this.#all.get(`${kind} ${name}`);
      if (flow === undefined) continue;
      this.#all.delete(`${kind} ${name}`);
      this.#ids.delete(flow.id);
    }
  }

  /** Those that have counted something since the last time; each is to be drained. */
  takeTouched(): readonly Flow[] {
    const { touched } = this;
    this.touched = [];
    return touched;
  }

  #make(kind: FlowKind, name: string): Flow {
    const flow = new Flow((this.#lastId += 1), kind, name, this);
    this.#all.set(`${kind} ${name}`, flow);
    this.#ids.set(flow.id, flow);
    return flow;
  }
}
