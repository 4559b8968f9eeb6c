import type { ConfigFault } from '../config/config-fault.ts';
import type { Member } from './member.ts';

/** A worker that has not said by then whether it takes a configuration does not. */
const VOTE_WITHIN_MS = 60_000;
/** What it takes after that to put a configuration into force, or to drop it; who takes longer is not waited for. */
const END_WITHIN_MS = 5000;

/** One configuration on its way into force: every worker says first whether it would take it. */
export class ReloadRound {
  /** Answers that come late may not be taken for those of another round. */
  readonly id: number;
  readonly #open: Set<Member>;
  readonly #verdict = Promise.withResolvers<readonly ConfigFault[]>();
  readonly #late = Promise.withResolvers<undefined>();
  #timer: NodeJS.Timeout;
  #faults: readonly ConfigFault[] = [];

  constructor(id: number, members: readonly Member[], file: string) {
    this.id = id;
    this.#open = new Set(members);
    this.#timer = setTimeout(() => {
      const late = [...this.#open].map(({ slot }) => slot).join(', ');
      this.#end([{ file, key: '', message: `has not been looked at in time by worker ${late}` }]);
    }, VOTE_WITHIN_MS);
  }

  /** Resolves when nobody waits any more. */
  get late(): Promise<undefined> {
    return this.#late.promise;
  }

  /** Everybody has answered. */
  close(): void {
    clearTimeout(this.#timer);
  }

  /** A worker would take it; resolves with what speaks against it elsewhere. */
  agree(member: Member): Promise<readonly ConfigFault[]> {
    this.#voted(member);
    return this.#verdict.promise;
  }

  /** A worker has not taken it, or is gone. */
  left(member: Member, faults: readonly ConfigFault[] = []): void {
    if (this.#faults.length === 0) this.#faults = faults;
    this.#voted(member);
  }

  #voted(member: Member): void {
    this.#open.delete(member);
    if (this.#open.size === 0) this.#end(this.#faults);
  }

  #end(faults: readonly ConfigFault[]): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#late.resolve(undefined), END_WITHIN_MS);
    this.#verdict.resolve(faults);
  }
}
