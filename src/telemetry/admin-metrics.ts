import type { Registry } from 'prom-client';
import { LabelCounter } from './label-counter.ts';
import type { MetricFamily, MetricValue } from './metric-family.ts';
import { ReadGauge } from './read-gauge.ts';

/** Why the operators' listener lets somebody not in. */
export const DENIAL_REASONS = [
  'no-credentials',
  'malformed',
  'unknown-token',
  'expired',
  'unknown-certificate',
  'unknown-session',
  'damped',
  'role',
  'page',
  'unmarked',
] as const;
/** One of {@link DENIAL_REASONS}. */
export type DenialReason = (typeof DENIAL_REASONS)[number];

/** Whom the operators' listener lets in, as far as somebody has to look after it. */
export interface AdminAccessState {
  /** Whether its files have a fault, so that what was good before holds. */
  readonly isFaulty: boolean;
  readonly tokens: readonly {
    readonly name: string;
    /** In ms since the epoch. */
    readonly expires?: number | undefined;
  }[];
}

const FAULTY = {
  name: 'gatehouse_admin_access_faulty',
  help: "1 while a file that says who may come to the operators' listener has a fault, so that what was good before holds.",
};
const EXPIRY = {
  name: 'gatehouse_admin_token_expiry_timestamp_seconds',
  help: "When the last token of a name for the operators' listener expires, in seconds since the epoch.",
};

/** Who comes to the operators' listener. */
export class AdminMetrics {
  readonly #denials: LabelCounter;
  readonly #viewFaults: LabelCounter;
  #state: (() => AdminAccessState) | undefined = undefined;

  constructor(registry: Registry) {
    this.#denials = new LabelCounter(
      {
        name: 'gatehouse_admin_denials_total',
        help: "Requests that the operators' listener has refused, by why: credentials, the role of the caller, or a page of somebody else.",
        labels: ['reason'],
      },
      registry,
    );
    for (const reason of DENIAL_REASONS) this.#denials.tally(reason);
    this.#viewFaults = new LabelCounter(
      {
        name: 'gatehouse_admin_view_failures_total',
        help: "Live views of the operators' listener that could not be made, by view: who reads them keeps what was there before.",
        labels: ['view'],
      },
      registry,
    );
    new ReadGauge(FAULTY, registry, (show) => {
      if (this.#state !== undefined) show(Number(this.#state().isFaulty));
    });
    new ReadGauge({ ...EXPIRY, labels: ['name'], of: 'max' }, registry, (show) => {
      for (const [name, at] of lastExpiries(this.#state?.().tokens ?? [])) show(at / 1000, name);
    });
  }

  /** Shows what the listener of this process says of itself. */
  shows(state: () => AdminAccessState): void {
    this.#state = state;
  }

  /** Counts a request that was refused. */
  denied(reason: DenialReason): void {
    this.#denials.count(reason);
  }

  /** Counts a live view that could not be made. */
  viewFailed(view: string): void {
    this.#viewFaults.count(view);
  }
}

/** The same of a process that has no registry. */
export function accessFamilies({ isFaulty, tokens }: AdminAccessState): readonly MetricFamily[] {
  const values = [...lastExpiries(tokens)].map(([name, at]): MetricValue => ({
    labels: { name },
    value: at / 1000,
  }));
  return [
    { ...FAULTY, type: 'gauge', values: [{ labels: {}, value: Number(isFaulty) }] },
    { ...EXPIRY, type: 'gauge', values },
  ];
}

// Two of a name are an old one and a new one: what counts is when the name is let in no more.
function lastExpiries(tokens: AdminAccessState['tokens']): ReadonlyMap<string, number> {
  const last = new Map<string, number>();
  for (const { name, expires = Infinity } of tokens)
    last.set(name, Math.max(expires, last.get(name) ?? -Infinity));
  return new Map([...last].filter(([, at]) => at !== Infinity));
}
