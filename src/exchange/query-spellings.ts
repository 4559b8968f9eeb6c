import { mayBeOne, queryNameOf, type QueryName } from './query-names.ts';

/** A name that no server reads as another one of these. */
const PLAIN = /^[a-z0-9_-]*$/;

interface Spelled {
  readonly name: string;
  readonly read: QueryName;
}

/** The names of one query, and which of them lenient servers take for one another; each name is looked for once. */
export class QuerySpellings {
  readonly #plain = new Set<string>();
  /** Names with brackets, large letters and the like, by what they begin with. */
  readonly #odd = new Map<string, Spelled[]>();
  readonly #known = new Map<string, boolean>();

  constructor(names: Iterable<string>) {
    for (const name of names) {
      if (PLAIN.test(name)) this.#plain.add(name);
      else this.#addOdd(name);
    }
  }

  /** Whether one of them is another spelling of a name. */
  haveOther(name: string): boolean {
    if (this.#odd.size === 0 && PLAIN.test(name)) return false;
    let has = this.#known.get(name);
    if (has === undefined) this.#known.set(name, (has = this.#find(name)));
    return has;
  }

  #find(name: string): boolean {
    const read = queryNameOf(name);
    const [base = ''] = read;
    if (base !== name && this.#plain.has(base)) return true;
    return this.#odd.get(base)?.some((one) => one.name !== name && mayBeOne(one.read, read)) === true;
  }

  #addOdd(name: string): void {
    const read = queryNameOf(name);
    const [base = ''] = read;
    const others = this.#odd.get(base);
    if (others === undefined) this.#odd.set(base, [{ name, read }]);
    else others.push({ name, read });
  }
}
