import type { ServerResponse } from 'node:http';
import { FakeRegistry, sendJson } from '../registry.fixture.ts';

/** An instance as the health API of Consul lists it. */
export interface Instance {
  readonly ID?: string;
  readonly Address?: string;
  readonly Port?: number;
  readonly Tags?: readonly string[];
  readonly Meta?: Readonly<Record<string, string>>;
  readonly Weights?: { readonly Passing: number; readonly Warning: number };
  /** Status by id of the check. */
  readonly checks?: Readonly<Record<string, string>>;
  readonly node?: Readonly<Record<string, unknown>>;
}

/** One entry of the health API. */
export function entry({ checks = {}, node, ...service }: Instance = {}): unknown {
  return {
    Node: { Node: 'n1', Address: '10.0.0.9', Datacenter: 'dc1', Meta: {}, ...node },
    Service: {
      ID: 'web-1',
      Service: 'web',
      Address: '10.0.0.1',
      Port: 80,
      Tags: [],
      Meta: {},
      Weights: { Passing: 1, Warning: 1 },
      ...service,
    },
    Checks: Object.entries({ serfHealth: 'passing', ...checks }).map(([CheckID, Status]) => ({
      CheckID,
      Status,
    })),
  };
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };
const FAR = 300_000;

/** The health API of a Consul agent: an index that grows with each change, and questions that are held back until it does. */
export class FakeConsul extends FakeRegistry {
  index = 7;
  list: readonly unknown[] = [entry()];
  /** Fields of each answer. */
  fields: Record<string, string> = {};
  /** Answers in place of all that, while it is there. */
  instead: ((response: ServerResponse) => void) | undefined = undefined;
  readonly #held = new Set<() => void>();

  /** How many questions are held back. */
  get heldBack(): number {
    return this.#held.size;
  }

  /** Changes what there is; the index moves and questions that are held back are answered. */
  change(list: readonly unknown[], index = this.index + 1): void {
    this.list = list;
    this.index = index;
    this.wake();
  }

  /** Answers what is held back although nothing has changed. */
  wake(): void {
    for (const answer of this.#held) answer();
  }

  protected answer({ searchParams }: URL, response: ServerResponse): void {
    if (this.instead !== undefined) return this.instead(response);
    const [, amount = '', unit = ''] = /^(\d+)(ms|s|m)$/.exec(searchParams.get('wait') ?? '5m') ?? [];
    if (amount === '') return void response.writeHead(400).end('Invalid wait time');
    const send = (): void =>
      sendJson(response, this.list, [200, { 'x-consul-index': String(this.index), ...this.fields }]);
    if (Number(searchParams.get('index') ?? 0) !== this.index) return send();
    const answer = (): void => {
      clearTimeout(timer);
      this.#held.delete(answer);
      send();
    };
    const timer = setTimeout(answer, Math.min(FAR, Number(amount) * (UNITS[unit] ?? 1))).unref();
    this.#held.add(answer);
    response.once('close', () => this.#held.delete(answer));
  }
}
