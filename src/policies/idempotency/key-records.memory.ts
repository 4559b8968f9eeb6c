import { STORE_UNAVAILABLE, type StoreUnavailable } from '../../store/store-guard.ts';
import { isSame, type Fingerprint } from './asked.ts';
import { lifeOf, type Claim, type Claimed, type KeyRecords, type RecordState } from './key-records.ts';

interface Entry {
  readonly owner: string;
  readonly fingerprint: Fingerprint;
  readonly state: RecordState['state'];
  readonly answer: Buffer | undefined;
  /** Both on the clock of `now`. */
  readonly leaseEnds: number;
  readonly expires: number;
}

const DEFAULT_MAX_BYTES = 64 * 2 ** 20;
/** An entry with its name and digests, roughly. */
const ENTRY_BYTES = 600;

/**
 * Keeps keys in this process, bounded in bytes: answers that were given longest ago are forgotten first, and their keys may
 * be used anew. What is under way is never forgotten; where there is room for nothing else, no claim is granted.
 */
export class MemoryKeyRecords implements KeyRecords {
  readonly isShared = false;
  readonly #entries = new Map<string, Entry>();
  readonly #maxBytes: number;
  readonly #now: () => number;
  #bytes = 0;

  /** @param now a clock in ms that never jumps. */
  constructor(maxBytes = DEFAULT_MAX_BYTES, now: () => number = () => performance.now()) {
    this.#maxBytes = maxBytes;
    this.#now = now;
  }

  /** How much there is, in bytes, roughly. */
  get bytes(): number {
    return this.#bytes;
  }

  async claim(claim: Claim, runsUnknown: boolean): Promise<Claimed | StoreUnavailable> {
    const { name, fingerprint: asked } = claim;
    const entry = this.#find(name);
    if (entry !== undefined) {
      const { fingerprint, answer, leaseEnds } = entry;
      const leftMs = leaseEnds - this.#now();
      if (answer !== undefined) return { state: 'done', fingerprint, answer };
      const isUnderWay = entry.state !== 'unknown' && leftMs > 0;
      if (isUnderWay) return { state: 'running', fingerprint, leftMs };
      const mayRun = entry.state === 'claimed' || (runsUnknown && isSame(fingerprint, asked));
      if (!mayRun) return { state: 'unknown', fingerprint };
    }
    // Fails as a store that is gone: nobody is run without protection who did not ask for that.
    if (!this.#makeRoom(ENTRY_BYTES)) return STORE_UNAVAILABLE;
    this.#set(claim, { state: 'claimed' });
    return { state: 'claimed' };
  }

  async write(claim: Claim, state: RecordState): Promise<boolean> {
    const entry = this.#find(claim.name);
    if (entry !== undefined && entry.owner !== claim.owner) return false;
    if (entry?.state === 'done') return true;
    this.#set(claim, state);
    this.#makeRoom(0);
    return true;
  }

  async release({ name, owner }: Claim): Promise<boolean> {
    if (this.#find(name)?.owner === owner) this.#delete(name);
    return true;
  }

  #find(name: string): Entry | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined || entry.expires > this.#now()) return entry;
    this.#delete(name);
    return undefined;
  }

  #set(claim: Claim, state: RecordState): void {
    const { name, owner, fingerprint, leaseMs } = claim;
    this.#delete(name);
    const now = this.#now();
    const answer = state.state === 'done' ? state.answer : undefined;
    const times = { leaseEnds: now + leaseMs, expires: now + lifeOf(claim, state.state) };
    this.#entries.set(name, { owner, fingerprint, state: state.state, answer, ...times });
    this.#bytes += ENTRY_BYTES + (answer?.length ?? 0);
  }

  #delete(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#entries.delete(name);
    this.#bytes -= ENTRY_BYTES + (entry.answer?.length ?? 0);
  }

  /** Forgets until there is room; the oldest come first. */
  #makeRoom(bytes: number): boolean {
    if (this.#bytes + bytes <= this.#maxBytes) return true;
    const now = this.#now();
    for (const [name, { state, expires }] of this.#entries) {
      const isUnderWay = (state === 'claimed' || state === 'sent') && expires > now;
      if (!isUnderWay) this.#delete(name);
      if (this.#bytes + bytes <= this.#maxBytes) return true;
    }
    return false;
  }
}
