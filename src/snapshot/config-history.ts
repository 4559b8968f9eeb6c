import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { writtenDigest } from '../config/config-bundle.ts';
import type { ConfigFault } from '../config/config-fault.ts';
import type { ReloadOutcome } from '../telemetry/config-metrics.ts';
import type { ConfigSummary } from './config-summary.ts';

const [packed, unpacked] = [promisify(gzip), promisify(gunzip)];

/** What has brought a configuration about. */
export type ConfigCause = 'start' | 'file' | 'certificate' | 'signal' | 'order' | 'rollback';

/** One configuration that the gateway was given. */
export interface ConfigEntry {
  /** Counts all of them from 1, those that were refused included. */
  readonly generation: number;
  /** SHA-256 of its text in hex; empty where it could not be read. */
  readonly sha: string;
  /** In ms since the epoch. */
  readonly at: number;
  /** Who or what asked for it. */
  readonly by: string;
  readonly cause: ConfigCause;
  readonly outcome: 'in-force' | 'replaced' | 'refused';
  readonly faults?: readonly ConfigFault[];
  /** How it differs from the one before it that was in force. */
  readonly summary?: ConfigSummary | undefined;
  /** Of one that was taken back: which one it says the same as. */
  readonly of?: number | undefined;
  /** How often the same was refused in a row, where that was more than once. */
  readonly times?: number | undefined;
  /** Whether its text is still there. */
  readonly isKept: boolean;
}

/** A configuration that was given, and what became of it. */
export interface GivenConfig {
  /** Undefined where it could not be read. */
  readonly text?: string | undefined;
  readonly trigger: string;
  readonly by?: string | undefined;
  readonly outcome: ReloadOutcome;
  readonly faults?: readonly ConfigFault[] | undefined;
  readonly summary?: ConfigSummary | undefined;
  readonly of?: number | undefined;
}

/** How much is kept. */
export interface HistoryBounds {
  /** Configurations that were in force. Default 20. */
  readonly accepted: number;
  /** Those that were refused. Default 10. */
  readonly refused: number;
  /** Bytes of all texts together, compressed. Default 4 MiB. */
  readonly bytes: number;
}

const BOUNDS: HistoryBounds = { accepted: 20, refused: 10, bytes: 4 * 1024 * 1024 };
const MOST_FAULTS = 100;

interface Kept {
  entry: Omit<ConfigEntry, 'isKept'>;
  /** Until it is compressed, the text itself. */
  text: string | Buffer | undefined;
}

/**
 * The last configurations that the gateway was given, with their texts as they were written: variables are not filled in. It is
 * in the memory of the process only; what is too much is forgotten, the oldest first, and never the one in force.
 */
export class ConfigHistory {
  readonly #bounds: HistoryBounds;
  readonly #kept: Kept[] = [];
  #last = 0;
  #current = 0;

  constructor(bounds: Partial<HistoryBounds> = {}) {
    this.#bounds = { ...BOUNDS, ...bounds };
  }

  /** The number of the one in force; 0 before the first. */
  get generation(): number {
    return this.#current;
  }

  /** The number that the next one will have. */
  get next(): number {
    return this.#last + 1;
  }

  /** Takes note of a configuration, unless it says what the one in force does. @param at in ms since the epoch. */
  add(given: GivenConfig, at = Date.now()): void {
    if (given.outcome === 'unchanged' || this.#isRenewed(given)) return;
    const isRefused = given.outcome !== 'reloaded';
    if (isRefused && this.#isAgain(given, at)) return;
    const { text, trigger, faults = [], summary, of } = given;
    const generation = (this.#last += 1);
    if (!isRefused) this.#replaced(generation);
    this.#keep({
      entry: {
        generation,
        sha: digestOf(text),
        at,
        by: given.by ?? trigger,
        cause: causeOf(trigger),
        outcome: isRefused ? 'refused' : 'in-force',
        ...(isRefused && { faults: faults.slice(0, MOST_FAULTS) }),
        summary,
        of,
      },
      text,
    });
  }

  /** All that is kept, the latest first. */
  list(): readonly ConfigEntry[] {
    return this.#kept.map(({ entry, text }) => ({ ...entry, isKept: text !== undefined })).toReversed();
  }

  /** The text of one; undefined where it is not kept. */
  async text(generation: number): Promise<string | undefined> {
    const text = this.#kept.find(({ entry }) => entry.generation === generation)?.text;
    return Buffer.isBuffer(text) ? (await unpacked(text)).toString() : text;
  }

  // Certificates may be renewed every hour: the configuration is the one that it was.
  #isRenewed({ trigger, outcome, text }: GivenConfig): boolean {
    if (trigger !== 'certificate' || outcome !== 'reloaded') return false;
    const current = this.#kept.find(({ entry }) => entry.generation === this.#current);
    return current?.entry.sha === digestOf(text);
  }

  // An editor that saves a broken file again and again does not push out what one would go back to.
  #isAgain({ text, faults = [] }: GivenConfig, at: number): boolean {
    const last = this.#kept.at(-1);
    const { sha, outcome, times = 1 } = last?.entry ?? {};
    if (last === undefined || outcome !== 'refused' || sha !== digestOf(text)) return false;
    last.entry = { ...last.entry, at, faults: faults.slice(0, MOST_FAULTS), times: times + 1 };
    return true;
  }

  #replaced(generation: number): void {
    for (const kept of this.#kept)
      if (kept.entry.outcome === 'in-force') kept.entry = { ...kept.entry, outcome: 'replaced' };
    this.#current = generation;
  }

  #keep(kept: Kept): void {
    this.#kept.push(kept);
    const isRefused = ({ entry }: Kept): boolean => entry.outcome === 'refused';
    this.#forget((one) => isRefused(one), this.#bounds.refused);
    this.#forget((one) => !isRefused(one), this.#bounds.accepted);
    if (typeof kept.text === 'string') void this.#pack(kept, kept.text);
  }

  #forget(isOf: (kept: Kept) => boolean, most: number): void {
    while (this.#kept.filter(isOf).length > most) this.#kept.splice(this.#kept.findIndex(isOf), 1);
  }

  // Not on the loop: a text may have megabytes.
  async #pack(kept: Kept, text: string): Promise<void> {
    kept.text = await packed(text);
    let bytes = 0;
    for (const one of this.#kept.toReversed().toSorted(inForceFirst)) {
      // One that is still being compressed counts once it is: as it stands it has many times as many.
      if (Buffer.isBuffer(one.text)) bytes += one.text.length;
      if (bytes > this.#bounds.bytes) one.text = undefined;
    }
  }
}

function digestOf(text: string | undefined): string {
  return text === undefined ? '' : writtenDigest(text);
}

function inForceFirst(a: Kept, b: Kept): number {
  return Number(b.entry.outcome === 'in-force') - Number(a.entry.outcome === 'in-force');
}

function causeOf(trigger: string): ConfigCause {
  if (/^SIG[A-Z]+$/.test(trigger)) return 'signal';
  const known = ['start', 'file', 'certificate', 'rollback'] as const;
  return known.find((one) => one === trigger) ?? 'order';
}
