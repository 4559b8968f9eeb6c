import { Gauge } from 'prom-client';
import { problemOf } from '../../../problems/http-exceptions.ts';
import { DurationHistogram, type DurationCell } from '../../../telemetry/duration-histogram.ts';
import { FAILED, REFUSED, WELL, type Flow } from '../../../telemetry/flow.ts';
import type { Flows } from '../../../telemetry/flows.ts';
import { LabelCounter } from '../../../telemetry/label-counter.ts';
import { Metrics } from '../../../telemetry/metrics.ts';

/**
 * How an operation ended: `ok`, `degraded` when a fallback is shown, `partial` with errors beside data, `failed`
 * without data, `refused` before anything ran.
 */
export type OperationOutcome = 'ok' | 'degraded' | 'partial' | 'failed' | 'refused';

/** An error as clients see it; its code is one of the catalogue, or of the protocol. */
interface CodedError {
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

interface Families {
  readonly duration: DurationHistogram;
  readonly cost: DurationHistogram;
  readonly errors: LabelCounter;
  readonly flows: Flows;
}

const SECONDS = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const COSTS = [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000];
/** How many names of clients are told apart unless the configuration says otherwise. */
export const NAMED_OPERATIONS = 50;
const LONGEST_NAME = 64;

const ENDS = { ok: WELL, degraded: WELL, partial: FAILED, failed: FAILED, refused: REFUSED } as const;

/** What the operations of one name and type have done. Its cells are found once, and then only count. */
export class OperationMeter {
  readonly #labels: { readonly operation: string; readonly type: string };
  readonly #families: Families;
  readonly #durations: Record<OperationOutcome, DurationCell | undefined> = {
    ok: undefined,
    degraded: undefined,
    partial: undefined,
    failed: undefined,
    refused: undefined,
  };
  #cost: DurationCell | undefined = undefined;
  readonly #flow: Flow;

  constructor(operation: string, type: string, families: Families) {
    this.#labels = { operation, type };
    this.#families = families;
    this.#flow = families.flows.of('operation', `${type} ${operation}`);
  }

  /** What operators see it as: its type and its label. */
  get name(): string {
    return this.#flow.name;
  }

  /**
   * Counts one execution.
   *
   * @param startedAt on the clock of `performance.now()`.
   * @param errors what the client is told.
   */
  ended(outcome: OperationOutcome, startedAt: number, errors?: readonly CodedError[]): void {
    const cell = (this.#durations[outcome] ??= this.#families.duration.cell({ ...this.#labels, outcome }));
    const durationMs = performance.now() - startedAt;
    cell.observe(durationMs / 1000);
    this.#flow.count(durationMs, ENDS[outcome]);
    if (errors === undefined) return;
    for (const { extensions } of errors) this.#failed(String(extensions?.['code'] ?? 'request-invalid'));
  }

  /**
   * Counts one execution that ended with something thrown instead of an answer.
   *
   * @param outcome `refused` when nothing had run.
   */
  threw(error: unknown, startedAt: number, outcome: 'refused' | 'failed'): void {
    this.ended(outcome, startedAt, [{ extensions: { code: problemOf(error).code } }]);
  }

  /** Takes note of what one execution costs. */
  costs(cost: number): void {
    (this.#cost ??= this.#families.cost.cell(this.#labels)).observe(cost);
    this.#flow.add(cost);
  }

  #failed(code: string): void {
    const { operation, type } = this.#labels;
    this.#families.errors.count(operation, type, code);
    this.#flow.say(code);
  }
}

/**
 * The metrics of the GraphQL door. The name of an operation is chosen by the client, so that only those of trusted
 * documents, and the first ones up to a number, are labels; the others share `other`.
 */
export class OperationMeters {
  /** For requests of which no operation could be found. */
  readonly unknown: OperationMeter;
  readonly #families: Families;
  readonly #meters = new Map<string, OperationMeter>();
  readonly #names = new Set<string>();
  readonly #maxNames: number;
  readonly #metrics: Metrics;
  #given = 0;
  #open = 0;

  constructor(metrics = new Metrics(), maxNames = NAMED_OPERATIONS) {
    this.#metrics = metrics;
    this.#maxNames = maxNames;
    this.#families = familiesIn(metrics);
    this.unknown = this.#meter('unknown', 'unknown');
    const open = (): number => this.#open;
    new Gauge({
      name: 'gatehouse_graphql_open_subscriptions',
      help: 'Subscriptions that are open.',
      registers: [metrics.registry],
      collect() {
        this.set(open());
      },
    });
  }

  /** The meter of an operation; called when its document is prepared. */
  of(name: string | undefined, type: string, trusted: boolean): OperationMeter {
    return this.#meter(name === undefined ? 'anonymous' : this.#label(name, trusted), type);
  }

  /** Counts a subscription that has begun. */
  opened(): void {
    this.#open += 1;
  }

  /** Counts a subscription that has ended. */
  closed(): void {
    this.#open -= 1;
  }

  /** Shows how many streams of events are open or reserved; sockets are counted with those of all routes. */
  watchStreams(size: () => number): void {
    new Gauge({
      name: 'gatehouse_graphql_event_streams',
      help: 'Streams of events that operations live on, reserved ones included.',
      registers: [this.#metrics.registry],
      collect() {
        this.set(size());
      },
    });
  }

  #label(name: string, trusted: boolean): string {
    if (this.#names.has(name)) return name;
    // Trusted ones are as many as were checked in; whatever else comes is up to clients.
    if (!trusted) {
      if (this.#given >= this.#maxNames || name.length > LONGEST_NAME) return 'other';
      this.#given += 1;
    }
    this.#names.add(name);
    return name;
  }

  #meter(operation: string, type: string): OperationMeter {
    const key = `${type} ${operation}`;
    let meter = this.#meters.get(key);
    if (meter === undefined) {
      meter = new OperationMeter(operation, type, this.#families);
      this.#meters.set(key, meter);
    }
    return meter;
  }
}

function familiesIn({ registry, flows }: Metrics): Families {
  const duration = new DurationHistogram(
    {
      name: 'gatehouse_graphql_operation_duration_seconds',
      help: 'Time until the answer of a GraphQL operation is ready; for a subscription, of each event.',
      labels: ['operation', 'type', 'outcome'],
      bounds: SECONDS,
    },
    registry,
  );
  const cost = new DurationHistogram(
    {
      name: 'gatehouse_graphql_operation_cost',
      help: 'What GraphQL operations cost, where costs are counted.',
      labels: ['operation', 'type'],
      bounds: COSTS,
    },
    registry,
  );
  const errors = new LabelCounter(
    {
      name: 'gatehouse_graphql_errors_total',
      help: 'Errors in the answers of GraphQL operations, by their code.',
      labels: ['operation', 'type', 'code'],
    },
    registry,
  );
  return { duration, cost, errors, flows };
}
