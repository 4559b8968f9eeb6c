import { pointerPart } from '../../exchange/json-pointer.ts';
import { mayBeOne, queryNameOf, type QueryName } from '../../exchange/query-names.ts';
import type { SchemaFault } from './schema.pipe.ts';

/**
 * Finds parameters that no schema has looked at and that a lenient server may take for one that a schema has: `q[]`, `q[0]`
 * and `Q` for `q`. Fails closed: they would be a way around what the schema says of it.
 */
export class UncheckedSpellings {
  readonly #known: ReadonlySet<string>;
  /** Names that are looked at, by what they begin with. */
  readonly #byBase = new Map<string, { readonly name: string; readonly read: QueryName }[]>();
  readonly #prefixes: readonly string[];

  /**
   * @param names that are looked at.
   * @param prefixes of names that are looked at as parts of one of them.
   */
  constructor(names: readonly string[], prefixes: readonly string[] = []) {
    this.#known = new Set(names);
    this.#prefixes = prefixes;
    for (const name of names) {
      const read = queryNameOf(name);
      const [base = ''] = read;
      const others = this.#byBase.get(base);
      if (others === undefined) this.#byBase.set(base, [{ name, read }]);
      else others.push({ name, read });
    }
  }

  /** A fault for each of them. @param names decoded, of a request. */
  faultsOf(names: Iterable<string>): SchemaFault[] {
    const faults: SchemaFault[] = [];
    for (const name of names) {
      if (this.#known.has(name) || this.#prefixes.some((prefix) => name.startsWith(prefix))) continue;
      const read = queryNameOf(name);
      const meant = this.#byBase.get(read[0] ?? '')?.find((one) => mayBeOne(one.read, read));
      if (meant !== undefined)
        faults.push({
          pointer: `/${pointerPart(name)}`,
          message: `must not be another spelling of ${meant.name}`,
        });
    }
    return faults;
  }
}
