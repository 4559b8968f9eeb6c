import { hash } from 'node:crypto';

/** Prefixes that are known one by one; of those before them only that there were some, after which everything counts as ended. */
export const RING_SIZE = 128;

const KEPT = /^(\d{1,15}) ([hs]) (\d{1,6}) ([\w-]{43})$/;

/** One purge by a prefix, of which no more is known than what a URI can be compared with. */
interface PurgedPrefix {
  /** Counts the purges. */
  readonly number: number;
  readonly isSoft: boolean;
  readonly length: number;
  readonly digest: string;
}

/** What is kept of a prefix: its length and a digest, because a path may hold what nobody should read. */
export function keptPrefix(prefix: string, isSoft: boolean): string {
  return `${isSoft ? 's' : 'h'} ${prefix.length} ${hash('sha256', prefix, 'base64url')}`;
}

/** Reads an element of the ring, the number of a purge and what is kept of its prefix; undefined for none. */
function readPrefix(text: string): PurgedPrefix | undefined {
  const [, number, kind, length, digest = ''] = KEPT.exec(text) ?? [];
  if (number === undefined) return undefined;
  return { number: Number(number), isSoft: kind === 's', length: Number(length), digest };
}

/** The last purges by a prefix as far as this process has read them of Redis, where they are kept in a ring. */
export class PurgedPrefixes {
  #all = '';
  #count = 0;
  #ring: readonly (PurgedPrefix | undefined)[] = [];

  /** The fields of the ring that have to be read. @param all the generation of everything. @param count how many there were. */
  unread(all: string, count: number): readonly string[] {
    const known = all === this.#all ? this.#count : 0;
    const missing = Math.min(RING_SIZE, Math.max(0, count - known));
    return Array.from({ length: missing }, (_, at) => `p${(count - missing + at) % RING_SIZE}`);
  }

  /** Takes over what was read. @param fields and their values, as {@link unread} names them. */
  take(all: string, count: number, read: ReadonlyMap<string, string>): void {
    const ring = all === this.#all ? [...this.#ring] : [];
    for (const [field, value] of read) ring[Number(field.slice(1))] = readPrefix(value);
    this.#all = all;
    this.#count = count;
    this.#ring = ring;
  }

  /** What became of an answer of a URI that was asked for when there had been so many purges. */
  stateOf(uri: string, since: number): 'current' | 'aged' | 'purged' {
    const digests = new Map<number, string>();
    let state: 'current' | 'aged' = 'current';
    for (const one of this.#ring) {
      if (one === undefined || one.number <= since || uri.length < one.length) continue;
      const digest = digests.get(one.length) ?? hash('sha256', uri.slice(0, one.length), 'base64url');
      digests.set(one.length, digest);
      if (digest !== one.digest) continue;
      if (!one.isSoft) return 'purged';
      state = 'aged';
    }
    return state;
  }
}
