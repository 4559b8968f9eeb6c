import { valueAt, type ConfigPath } from './config-path.ts';

/** What becomes of a place: its parts, or what stands there instead; `undefined` for nothing. */
interface Cut {
  readonly parts: Map<string | number, Cut>;
  ends?: { readonly by: unknown };
}

/** A tree of maps and lists without some of its places, and the way back to where the others were. */
export class Cutting {
  readonly #whole: unknown;
  readonly #root: Cut = { parts: new Map() };
  readonly #paths: ConfigPath[] = [];
  /** Of lists that are shorter than they were: which items are left. */
  readonly #indexes = new WeakMap<object, readonly number[]>();

  constructor(whole: unknown) {
    this.#whole = whole;
  }

  /** The places that were cut or filled, as they were in the whole. */
  get paths(): readonly ConfigPath[] {
    return this.#paths;
  }

  /** Takes a place out. @returns whether that is possible: the whole is no place. */
  cut(path: ConfigPath): boolean {
    if (path.length === 0) return false;
    this.#end(path, undefined);
    return true;
  }

  /** Has something else stand at a place. @returns whether nothing was put there before. */
  put(path: ConfigPath, by: unknown): boolean {
    if (this.#at(path)?.ends?.by !== undefined) return false;
    this.#end(path, by);
    return true;
  }

  /** Whether nothing at or below a place was cut. */
  isWhole(path: ConfigPath): boolean {
    return this.#at(path) === undefined;
  }

  /** What is left. What was not touched is the same. */
  tree(): unknown {
    return this.#without(this.#whole, this.#root);
  }

  /** Where something of a {@link tree} was in the whole. */
  original(path: ConfigPath, tree: unknown): ConfigPath {
    let value = tree;
    return path.map((step) => {
      const indexes = typeof value === 'object' && value !== null ? this.#indexes.get(value) : undefined;
      value = valueAt(value, [step]);
      return typeof step === 'number' ? (indexes?.[step] ?? step) : step;
    });
  }

  /** Where an item of a list is in a {@link tree}; undefined where it is not there any more. */
  indexNow(list: ConfigPath, index: number, tree: unknown): number | undefined {
    const indexes = this.#indexes.get(valueAt(tree, list) as object);
    if (indexes === undefined) return index;
    const now = indexes.indexOf(index);
    return now < 0 ? undefined : now;
  }

  #at(path: ConfigPath): Cut | undefined {
    return path.reduce<Cut | undefined>((cut, step) => cut?.parts.get(step), this.#root);
  }

  #end(path: ConfigPath, by: unknown): void {
    let cut = this.#root;
    for (const step of path) {
      let next = cut.parts.get(step);
      if (next === undefined) cut.parts.set(step, (next = { parts: new Map() }));
      cut = next;
    }
    cut.ends = { by };
    this.#paths.push(path);
  }

  #without(value: unknown, { parts }: Cut): unknown {
    if (parts.size === 0) return value;
    if (Array.isArray(value)) return this.#shorter(value, parts);
    const entries = Object.entries((value ?? {}) as object).flatMap(([key, one]): [string, unknown][] => {
      const cut = parts.get(key);
      if (cut === undefined) return [[key, one]];
      return cut.ends === undefined ? [[key, this.#without(one, cut)]] : [];
    });
    const filled = [...parts].flatMap(([key, { ends }]): [string, unknown][] =>
      ends?.by === undefined ? [] : [[String(key), ends.by]],
    );
    return Object.fromEntries([...entries, ...filled]);
  }

  #shorter(list: readonly unknown[], parts: Cut['parts']): readonly unknown[] {
    const left = [...list.keys()].filter((index) => parts.get(index)?.ends === undefined);
    const result = left.map((index) => {
      const cut = parts.get(index);
      return cut === undefined ? list[index] : this.#without(list[index], cut);
    });
    this.#indexes.set(result, left);
    return result;
  }
}
