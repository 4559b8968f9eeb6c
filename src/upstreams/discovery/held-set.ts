import { isDeepStrictEqual } from 'node:util';
import type { TargetOptions } from '../target.schema.ts';
import { inOrder, type Known } from './discovery-source.ts';

const GRACE_MS = 30_000;

/**
 * The last known targets. What a source says takes their place, but that there are none is believed only when it says so
 * again after a while: that a service has no instance at all is more often a fault of the registry than the truth.
 */
export class HeldSet {
  readonly #graceMs: number | undefined;
  #effectiveMs = 0;
  #targets: readonly TargetOptions[] = [];
  #emptySince: number | undefined = undefined;

  /** @param graceMs undefined for the longer of half a minute and twice the time between two looks. */
  constructor(graceMs: number | undefined) {
    this.#graceMs = graceMs;
  }

  get targets(): readonly TargetOptions[] {
    return this.#targets;
  }

  /** Whether the source says that there are none, which is not believed yet. */
  get isHeld(): boolean {
    return this.#emptySince !== undefined;
  }

  /** Begins with targets that are known from elsewhere. */
  seed(targets: readonly TargetOptions[]): void {
    this.#targets = inOrder(targets);
  }

  /** Until when to ask again whether there really are none, in ms from now; `Infinity` while there is no doubt. */
  doubtMs(now: number): number {
    if (this.#emptySince === undefined) return Infinity;
    return Math.max(0, this.#emptySince + this.#effectiveMs - now);
  }

  /** Forgets that the source said there were none: what it says in a row counts, and it failed in between. */
  interrupted(): void {
    this.#emptySince = undefined;
  }

  /** Takes over what the source says. @param now in ms. @returns whether the set is another one now. */
  take({ targets, waitMs }: Pick<Known, 'targets' | 'waitMs'>, now: number): boolean {
    if (targets.length === 0 && this.#targets.length > 0) {
      if (this.#emptySince === undefined) {
        this.#emptySince = now;
        this.#effectiveMs = this.#graceMs ?? Math.max(GRACE_MS, 2 * waitMs);
        return false;
      }
      if (now - this.#emptySince < this.#effectiveMs) return false;
    }
    this.#emptySince = undefined;
    const ordered = inOrder(targets);
    if (isDeepStrictEqual(ordered, this.#targets)) return false;
    this.#targets = ordered;
    return true;
  }
}
