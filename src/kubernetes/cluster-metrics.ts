import type { Registry } from 'prom-client';
import type { FollowedCluster } from '../snapshot/followed-cluster.ts';
import { LabelCounter } from '../telemetry/label-counter.ts';
import { ReadGauge } from '../telemetry/read-gauge.ts';

const PREFIX = 'gatehouse_kubernetes';

/** What becomes of writing the status of an object. */
export const WRITE_OUTCOMES = ['written', 'conflict', 'failed'] as const;
/** One of {@link WRITE_OUTCOMES}. */
export type WriteOutcome = (typeof WRITE_OUTCOMES)[number];

/** What is counted of a cluster that is followed. */
export class ClusterMetrics {
  readonly #failures: LabelCounter;
  readonly #lost: LabelCounter;
  readonly #writes: LabelCounter;

  /** @param read tells how it is at a scrape. */
  constructor(registry: Registry, read: () => FollowedCluster) {
    this.#failures = counter(registry, 'watch_failures', 'Questions to the API server about a kind that told nothing.', 'kind'); // prettier-ignore
    this.#lost = counter(registry, 'kinds_lost', 'How often a kind that was served was not installed any more, so that its objects were given up.', 'kind'); // prettier-ignore
    this.#writes = counter(registry, 'status_writes', 'Statuses of objects that were written, that somebody else had changed meanwhile (conflict), or that could not be written.', 'outcome'); // prettier-ignore
    for (const outcome of WRITE_OUTCOMES) this.#writes.count(outcome, '', '', 0);
    showWatches(registry, read);
    showObjects(registry, read);
  }

  /** Counts a question about a kind that told nothing. */
  failed(kind: string): void {
    this.#failures.count(kind);
  }

  /** Counts a kind that is not installed any more. */
  lost(kind: string): void {
    this.#lost.count(kind);
  }

  /** Counts what became of writing a status. */
  wrote(outcome: WriteOutcome): void {
    this.#writes.count(outcome);
  }
}

function counter(registry: Registry, name: string, help: string, label: string): LabelCounter {
  return new LabelCounter({ name: `${PREFIX}_${name}_total`, help, labels: [label] }, registry);
}

function showWatches(registry: Registry, read: () => FollowedCluster): void {
  const labels = ['kind', 'namespace'];
  new ReadGauge(
    {
      name: `${PREFIX}_watch_up`,
      help: 'Whether a kind is followed, or not installed by the word of the cluster: 1; 0 while nothing is heard, and what is known stays in force.',
      labels,
    },
    registry,
    (show) => {
      for (const { kind, namespace = '', state } of read().watches)
        show(state === 'followed' || state === 'absent' ? 1 : 0, kind, namespace);
    },
  );
  new ReadGauge(
    {
      name: `${PREFIX}_watch_age_seconds`,
      help: 'How long ago the cluster has last been heard of a kind; 0 while it is followed.',
      labels,
      of: 'max',
    },
    registry,
    (show) => {
      for (const { kind, namespace = '', ageMs } of read().watches) show(ageMs / 1000, kind, namespace);
    },
  );
  new ReadGauge(
    { name: `${PREFIX}_watch_objects`, help: 'Objects of a kind that are known.', labels },
    registry,
    (show) => {
      for (const { kind, namespace = '', objects } of read().watches) show(objects, kind, namespace);
    },
  );
}

function showObjects(registry: Registry, read: () => FollowedCluster): void {
  new ReadGauge(
    {
      name: `${PREFIX}_objects`,
      help: 'Objects by what became of them: served, partly served, refused, or ignored because they are for somebody else.',
      labels: ['kind', 'state'],
    },
    registry,
    (show) => {
      for (const [kind, own] of Map.groupBy(read().objects, (one) => one.kind))
        for (const [state, some] of Map.groupBy(own, (one) => one.state)) show(some.length, kind, state);
    },
  );
  new ReadGauge(
    { name: `${PREFIX}_routes`, help: 'Routes that objects of the cluster are made into.' },
    registry,
    (show) => show(read().routes),
  );
  new ReadGauge(
    {
      name: `${PREFIX}_leader`,
      help: 'Whether this replica is the one that writes the status of objects: 1 or 0; absent where none is written.',
    },
    registry,
    (show) => {
      const { isLeader } = read();
      if (isLeader !== undefined) show(isLeader ? 1 : 0);
    },
  );
}
