import { Counter, Gauge } from 'prom-client';
import type { Logger } from '../../../telemetry/logger.ts';
import type { Metrics } from '../../../telemetry/metrics.ts';
import type { Revocations } from './revocations.ts';

/**
 * How the knowledge of a process is: `off` where nothing can be revoked, `alone` without Redis, `loading` before everything was
 * read, `fresh`, `stale` while Redis is silent, or `full` after a revocation that there was no room for.
 */
export type RevocationState = 'off' | 'alone' | 'loading' | 'fresh' | 'stale' | 'full';

const GOOD: ReadonlySet<RevocationState> = new Set(['alone', 'fresh']);

const WHAT: Readonly<Record<RevocationState, string>> = {
  off: 'Credentials cannot be revoked any more',
  alone: 'Revocations are kept in this process',
  loading: 'Revocations are being read',
  fresh: 'Revocations are up to date',
  stale: 'Redis is silent: revocations may be missing',
  full: 'There are more revocations than identity.revocation.max: some are missing',
};

/** Whom a report tells. */
export interface RevocationTelemetry {
  readonly metrics?: Metrics | undefined;
  readonly logger?: Logger | undefined;
}

/** Says how the knowledge of revocations is, in metrics and in the log; says nothing where there is none. */
export class RevocationReport {
  readonly #metrics: Metrics | undefined;
  readonly #revocations: Revocations;
  readonly #logger: Logger | undefined;
  #refused: Counter | undefined = undefined;
  #ended: Counter | undefined = undefined;

  constructor({ metrics, logger }: RevocationTelemetry, revocations: Revocations) {
    this.#metrics = metrics;
    this.#logger = logger;
    this.#revocations = revocations;
  }

  /** Registers the metrics, once: who revokes nothing sees none that could look like a failure. */
  begin(): void {
    if (this.#metrics === undefined || this.#refused !== undefined) return;
    const registers = [this.#metrics.registry];
    const revocations = this.#revocations;
    this.#refused = new Counter({
      name: 'gatehouse_revoked_requests_total',
      help: 'Requests that were refused because their credential was revoked.',
      registers,
    });
    this.#ended = new Counter({
      name: 'gatehouse_revoked_exchanges_total',
      help: 'Requests, streams and sockets under way that were ended because their credential was revoked, or could have been.',
      registers,
    });
    const gauge = (name: string, help: string, read: () => number): Gauge =>
      new Gauge({
        name: `gatehouse_${name}`,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    gauge('revocations', 'Revocations that this process knows of.', () => revocations.set.count().held);
    gauge('revocation_bytes', 'Memory that they take.', () => revocations.set.bytes);
    gauge(
      'revocations_fresh',
      'Whether this process knows who is revoked: 1, or 0 while something may be missing.',
      () => (GOOD.has(revocations.state) ? 1 : 0),
    );
    gauge(
      'revocation_age_seconds',
      'How old what this process knows of revocations is.',
      () => revocations.ageMs / 1000,
    );
  }

  /** Counts a request that was refused. */
  refused(): void {
    this.#refused?.inc();
  }

  /** Counts exchanges that were ended. */
  ended(count: number): void {
    if (count > 0) this.#ended?.inc(count);
  }

  /** Writes how it is now. @param isBlind whether nobody is let in. */
  changed(before: RevocationState, now: RevocationState, isBlind: boolean): void {
    if (now === 'alone' || (before === 'off' && now === 'loading')) return;
    const then = isBlind
      ? '; callers who could be revoked are answered with 503'
      : GOOD.has(now)
        ? ''
        : '; known ones stay in force';
    const fields = { revocations: now };
    if (GOOD.has(now)) this.#logger?.info(fields, `${WHAT[now]}${then}.`);
    else this.#logger?.warn(fields, `${WHAT[now]}${then}.`);
  }

  /** Writes a warning. */
  warn(message: string): void {
    this.#logger?.warn({ revocations: this.#revocations.state }, message);
  }
}
