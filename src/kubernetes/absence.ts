import { jsonOf, listOf, textOf, type Json } from './resource.ts';
import { Refused, type ClusterApi } from '../upstreams/discovery/kubernetes/cluster-api.ts';
import type { Kind } from './kinds.ts';

const NOT_FOUND = 404;
const FORBIDDEN = 403;
/** How often in a row the cluster has to say that it has no such kind, where it had it before. */
const LOOKS = 4;
const LONGEST_GAP_MS = 15_000;

/** Of which kind, and how sure one has to be. */
export interface AbsenceDeps {
  readonly api: Pick<ClusterApi, 'read'>;
  readonly kind: Pick<Kind, 'api' | 'plural'>;
  /** How long a kind that was served has to be missing. */
  readonly afterMs: number;
}

/** What is known of a kind that was answered with 404. */
export type AbsenceVerdict =
  /** Discovery says as well that there is none. */
  | 'gone'
  /** It says so, but not for long enough. */
  | 'unsure'
  /** It names the kind all the same. */
  | 'contradicted';

/**
 * Whether a kind that the cluster answers 404 for is not installed. An API server that starts, or a proxy before several of
 * them, says so of any kind for a moment, and routes or the policies that guard them would be gone with it. So the kind has to
 * be missing from discovery too, again and again for a while where it was served before.
 */
export class Absence {
  readonly #deps: AbsenceDeps;
  #looks = 0;
  #since = 0;

  constructor(deps: AbsenceDeps) {
    this.#deps = deps;
  }

  /** How long to wait between two looks. */
  get gapMs(): number {
    return Math.min(LONGEST_GAP_MS, this.#deps.afterMs / (LOOKS - 1));
  }

  /** Asks discovery. @param wasServed whether the cluster had it. @throws {Unknown} when that tells nothing. */
  async look(wasServed: boolean, signal: AbortSignal): Promise<AbsenceVerdict> {
    try {
      if (await this.#isNamed(signal)) {
        this.forget();
        return 'contradicted';
      }
    } catch (error) {
      this.forget();
      throw error;
    }
    const now = performance.now();
    if (this.#looks === 0) this.#since = now;
    this.#looks += 1;
    const isLong = this.#looks >= LOOKS && now - this.#since >= this.#deps.afterMs;
    return !wasServed || isLong ? 'gone' : 'unsure';
  }

  /** It was heard of, or something else was answered: looks count from the beginning again. */
  forget(): void {
    this.#looks = 0;
  }

  async #isNamed(signal: AbortSignal): Promise<boolean> {
    const { api, plural } = this.#deps.kind;
    // The core is never missing.
    if (!api.includes('/')) return true;
    const version = await this.#read(`apis/${api}`, signal);
    if (version === 'refused') return false;
    if (version !== undefined) return listOf(version['resources']).some(({ name }) => name === plural);
    const groups = await this.#read('apis', signal);
    return (
      groups === undefined ||
      (groups !== 'refused' &&
        listOf(groups['groups'])
          .flatMap((group) => listOf(group['versions']))
          .some(({ groupVersion }) => textOf(groupVersion) === api))
    );
  }

  /** Undefined for 404; `refused` where nobody may ask, so that nothing speaks against what the list has said. */
  async #read(path: string, signal: AbortSignal): Promise<Json | 'refused' | undefined> {
    try {
      return jsonOf(await this.#deps.api.read(path, signal));
    } catch (error) {
      if (error instanceof Refused && error.status === NOT_FOUND) return undefined;
      if (error instanceof Refused && error.status === FORBIDDEN) return 'refused';
      throw error;
    }
  }
}
