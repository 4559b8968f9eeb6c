import { Counter, Gauge, type Registry } from 'prom-client';
import { ReadGauge } from './read-gauge.ts';

/** What becomes of an attempt to put another configuration into force. */
export const RELOAD_OUTCOMES = ['reloaded', 'unchanged', 'faulty', 'needs-restart'] as const;
/** One of {@link RELOAD_OUTCOMES}. */
export type ReloadOutcome = (typeof RELOAD_OUTCOMES)[number];

/** A file with certificates that the configuration names. */
export interface ShownCertificate {
  /** Whose it is. */
  readonly of: 'listener' | 'upstream';
  /** The listener's port, or the upstream's name. */
  readonly name: string;
  /** As the configuration names it. */
  readonly file: string;
  /** When the first of those in it ends, in ms since the epoch. */
  readonly endsAt: number;
}

/** A file of a team that is left out of the configuration. */
export interface LeftOutFile {
  readonly team: string;
  readonly file: string;
  /** What is in force of it. */
  readonly serves: 'last-good' | 'nothing';
}

const REFUSED: ReadonlySet<ReloadOutcome> = new Set(['faulty', 'needs-restart']);

/** The configuration that is in force, and the certificates that it names. */
export class ConfigMetrics {
  readonly #reloads: Counter<'outcome'>;
  readonly #loaded: Gauge;
  #isRefused = false;
  #lastReloadAt: number | undefined = undefined;
  #digest = '';
  #generation = 1;
  #differs = false;
  #certificates: readonly ShownCertificate[] = [];
  #leftOut: readonly LeftOutFile[] = [];

  constructor(registry: Registry) {
    const registers = [registry];
    this.#reloads = new Counter({
      name: 'gatehouse_config_reloads_total',
      help: 'Attempts to put another configuration into force, by what became of them.',
      labelNames: ['outcome'],
      registers,
    });
    for (const outcome of RELOAD_OUTCOMES) this.#reloads.inc({ outcome }, 0);
    this.#loaded = new Gauge({
      name: 'gatehouse_config_loaded_timestamp_seconds',
      help: 'When the configuration that is in force was put into force, in seconds since the epoch.',
      registers,
    });
    this.#showLast(registry);
    new ReadGauge(
      {
        name: 'gatehouse_certificate_expiry_timestamp_seconds',
        help: 'When the first certificate of a file that the configuration names ends, in seconds since the epoch.',
        labels: ['of', 'name', 'file'],
      },
      registry,
      (show) => {
        for (const { of, name, file, endsAt } of this.#certificates) show(endsAt / 1000, of, name, file);
      },
    );
  }

  /** Counts an attempt to put another configuration into force. */
  reloadEnded(outcome: ReloadOutcome): void {
    this.#reloads.inc({ outcome });
    this.#isRefused = REFUSED.has(outcome);
    this.#lastReloadAt = Date.now();
  }

  /** Shows which configuration is in force, and since when. @param atMs since the epoch. */
  loaded(atMs: number, digest: string): void {
    this.#loaded.set(atMs / 1000);
    this.#digest = digest;
  }

  /** Shows which of the configurations of this process is in force, and whether the file says another one. */
  standing(generation: number, differs: boolean): void {
    this.#generation = generation;
    this.#differs = differs;
  }

  /** The certificates that the configuration names. */
  get shownCertificates(): readonly ShownCertificate[] {
    return this.#certificates;
  }

  /** Shows when certificates end. */
  certificates(all: readonly ShownCertificate[]): void {
    this.#certificates = all;
  }

  /** Shows which files of teams are left out. */
  leftOut(all: readonly LeftOutFile[]): void {
    this.#leftOut = all;
  }

  /** Files of teams that are left out. */
  get shownLeftOut(): readonly LeftOutFile[] {
    return this.#leftOut;
  }

  #showLast(registry: Registry): void {
    new ReadGauge(
      {
        name: 'gatehouse_config_left_out',
        help: 'Files of teams that are faulty and left out of the configuration in force, by what is in force of them: what they said before (last-good), or nothing; always 1.',
        labels: ['team', 'file', 'serves'],
      },
      registry,
      (show) => {
        for (const { team, file, serves } of this.#leftOut) show(1, team, file, serves);
      },
    );
    new ReadGauge(
      {
        name: 'gatehouse_config_generation',
        help: 'Which of the configurations that this process was given is in force, counted from 1, those that were refused included.',
      },
      registry,
      (show) => show(this.#generation),
    );
    new ReadGauge(
      {
        name: 'gatehouse_config_differs_from_file',
        help: 'Whether what is in force is not what the file says, because that was refused or an earlier one was taken back: 1 or 0.',
      },
      registry,
      (show) => show(this.#differs ? 1 : 0),
    );
    new ReadGauge(
      {
        name: 'gatehouse_config_last_reload_successful',
        help: 'Whether the last attempt to put another configuration into force was not refused: 1, also before the first, or 0.',
      },
      registry,
      (show) => show(this.#isRefused ? 0 : 1),
    );
    new ReadGauge(
      {
        name: 'gatehouse_config_last_reload_timestamp_seconds',
        help: 'When the last attempt to put another configuration into force ended, in seconds since the epoch.',
      },
      registry,
      (show) => {
        if (this.#lastReloadAt !== undefined) show(this.#lastReloadAt / 1000);
      },
    );
    new ReadGauge(
      {
        name: 'gatehouse_config_info',
        help: 'The configuration that is in force, by the digest of its text; always 1.',
        labels: ['digest'],
      },
      registry,
      (show) => {
        if (this.#digest !== '') show(1, this.#digest);
      },
    );
  }
}
