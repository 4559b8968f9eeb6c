import type { ReloadOutcome } from '../telemetry/config-metrics.ts';

/** Why what is in force is not what the file says. */
export interface Difference {
  /** `rollback`: an earlier one was taken back; `refused`: what the file says now was refused. */
  readonly why: 'rollback' | 'refused';
  /** In ms since the epoch. */
  readonly since: number;
}

/** What asks for the configuration that is in force once more, and not for that of the file. */
const NOT_THE_FILE: ReadonlySet<string> = new Set(['certificate', 'catch up', 'rollback']);

/**
 * How the configuration in force stands to the file. One that was taken back holds until the file says something else than it
 * did then, or somebody asks for the file by name: a certificate that is renewed does not bring the file back.
 */
export class ConfigStanding {
  /** Of what the file has said last. */
  #ofFile: string;
  #difference: Difference | undefined = undefined;
  #isHeld = false;

  /** @param digest of the text that the gateway starts with. */
  constructor(digest: string) {
    this.#ofFile = digest;
  }

  /** Undefined while the file says what is in force. */
  get difference(): Difference | undefined {
    return this.#difference;
  }

  /** Whether an earlier configuration was taken back, and holds although the file says another one. */
  get isTakenBack(): boolean {
    return this.#isHeld;
  }

  /** Whether a reload is of the text that is in force, and not of the file. */
  keepsText(trigger: string): boolean {
    return trigger === 'certificate' && this.isTakenBack;
  }

  /** Whether the file says what it did when an earlier configuration was taken back, so that it is left alone. */
  isOld(trigger: string, digest: string): boolean {
    return trigger === 'file' && this.isTakenBack && digest === this.#ofFile;
  }

  /** Takes note of how a reload has ended. @param digest of its text; undefined where it could not be read. */
  ended(trigger: string, outcome: ReloadOutcome, digest: string | undefined): void {
    const isDone = outcome === 'reloaded' || outcome === 'unchanged';
    if (trigger === 'rollback') {
      if (outcome === 'reloaded') this.#takenBack(digest);
      return;
    }
    if (NOT_THE_FILE.has(trigger) && (this.isTakenBack || trigger === 'catch up')) return;
    if (digest !== undefined) this.#ofFile = digest;
    if (isDone) {
      this.#isHeld = false;
      this.#difference = undefined;
    } else this.#difference = { why: 'refused', since: this.#difference?.since ?? Date.now() };
  }

  // One that says what the file says is no difference any more.
  #takenBack(digest: string | undefined): void {
    this.#isHeld = digest !== this.#ofFile;
    this.#difference = this.#isHeld ? { why: 'rollback', since: Date.now() } : undefined;
  }
}
