import type { Schema } from './schema-value.ts';

/** An operation of a document, and what its path says. */
export interface FoundOperation {
  readonly operation: Schema;
  readonly parameters: ReadonlyMap<string, string>;
}

interface Path {
  readonly item: unknown;
  readonly form: RegExp;
  readonly names: readonly string[];
}

const MOST_HOPS = 20;
const SYNTAX = /[.*+?^$()|[\]\\]/g;

/** An OpenAPI document: its operations by request, and what its references stand for. */
export class OpenapiDocument {
  readonly #root: unknown;
  readonly #paths: readonly Path[];

  /** @param root the document, as JSON. */
  constructor(root: unknown) {
    this.#root = root;
    const bases = basesOf(root);
    const paths = Object.entries(member(root, 'paths') ?? {}).filter(([path]) => path.startsWith('/'));
    // What is said goes before what stands for anything.
    const sorted = paths.toSorted(([one], [other]) => placesIn(one) - placesIn(other));
    this.#paths = bases.flatMap((base) => sorted.map(([path, item]) => pathOf(base + path, item)));
  }

  /** How many operations it has paths for. */
  get size(): number {
    return this.#paths.length;
  }

  /** The operation of a request; undefined where it has none. @param path without the query. */
  find(method: string, path: string): FoundOperation | undefined {
    for (const { item, form, names } of this.#paths) {
      const found = form.exec(path);
      const read = found === null ? undefined : this.resolve(item);
      const operation = read?.[method.toLowerCase()] ?? (method === 'HEAD' ? read?.['get'] : undefined);
      if (operation === undefined || found === null) continue;
      const parameters = new Map(names.map((name, at) => [name, decoded(found[at + 1] ?? '')]));
      return { operation: operation as Schema, parameters };
    }
    return undefined;
  }

  /** What a part stands for that may be a reference within the document; undefined for one that leads nowhere. */
  resolve(part: unknown): Schema | undefined {
    let at = part;
    for (let hops = 0; hops < MOST_HOPS; hops += 1) {
      const reference = member(at, '$ref');
      if (reference === undefined) return isObject(at) ? at : undefined;
      at = this.#pointed(reference as unknown);
    }
    return undefined;
  }

  #pointed(reference: unknown): unknown {
    if (typeof reference !== 'string' || !reference.startsWith('#/')) return undefined;
    const keys = reference.slice(2).split('/').map((key) => decoded(key).replaceAll('~1', '/').replaceAll('~0', '~'));
    return keys.reduce<unknown>((at, key) => member(at, key), this.#root);
  } // prettier-ignore
}

// A service is asked with the path of its server before its own, or without, as whoever rewrites has it.
function basesOf(root: unknown): readonly string[] {
  const servers = member(root, 'servers');
  const urls = Array.isArray(servers) ? servers.map((one) => String(member(one, 'url') ?? '')) : [];
  const paths = urls.map((url) => url.replace(/^[a-z]+:\/\/[^/]*/i, '').replace(/\/$/, ''));
  return [...new Set([...paths.filter((path) => path.startsWith('/') && !path.includes('{')), ''])];
}

function pathOf(text: string, item: unknown): Path {
  const names = [...text.matchAll(/\{([^{}]+)\}/g)].map(([, name]) => name ?? '');
  const form = text
    .split(/\{[^{}]+\}/)
    .map((part) => part.replaceAll(SYNTAX, String.raw`\$&`))
    .join('([^/]+)');
  return { item, names, form: new RegExp(`^${form}$`) };
}

function placesIn(path: string): number {
  return path.split('{').length;
}

function member(value: unknown, key: string): object | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, object>>)[key];
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
