import type { Registry } from 'prom-client';
import { LabelCounter } from './label-counter.ts';

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

/** Who comes to the operators' listener. */
export class AdminMetrics {
  readonly #denials: LabelCounter;

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
  }

  /** Counts a request that was refused. */
  denied(reason: DenialReason): void {
    this.#denials.count(reason);
  }
}
