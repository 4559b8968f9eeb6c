/** A value that the environment has: a secret, or what the source does not say. */
export class Variable {
  readonly name: string;
  readonly fallback: string | undefined;

  /** @param fallback stands while it is not set, and lets nobody in. */
  constructor(name: string, fallback?: string) {
    this.name = name;
    this.fallback = fallback;
  }
}

/** A section of the file that is being written. */
export type Section = Record<string, unknown>;

/** A route of the file that is being written. */
export interface RouteDraft {
  readonly id: string;
  readonly match: Section;
  /** Why it answers 503 in place of its upstream: who may call it could not be said. */
  readonly closed?: string | undefined;
  /** All the rest, `upstream` and `policies` among it. */
  readonly rest: Section;
}

/** The file that is being written. */
export interface Draft {
  readonly issuers: Section[];
  readonly apiKeys: Section[];
  readonly upstreams: Record<string, Section>;
  readonly routes: RouteDraft[];
}

/** Gives every name once, in the letters that a kind of names may have. */
export class Names {
  readonly #taken = new Set<string>();
  readonly #odd: RegExp;
  readonly #otherwise: string;
  readonly #joint: string;

  /**
   * @param odd what a name cannot have, with the flag `g`.
   * @param otherwise the name of what has none.
   * @param joint what takes the place of that, and stands before the number of the second one.
   */
  constructor(odd: RegExp, otherwise: string, joint = '-') {
    this.#odd = odd;
    this.#otherwise = otherwise;
    this.#joint = joint;
  }

  take(wanted: string): string {
    const plain =
      wanted.replace(this.#odd, this.#joint).replace(/^[^A-Za-z0-9]+|[-_]+$/g, '') || this.#otherwise;
    let name = plain;
    for (let count = 2; this.#taken.has(name); count += 1) name = `${plain}${this.#joint}${count}`;
    this.#taken.add(name);
    return name;
  }
}

/** A name as variables of the environment have it: `KONG_JWT_ALICE`. */
export function variableName(...parts: readonly string[]): string {
  return parts
    .join('_')
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]+/g, '_')
    .replace(/_+$/, '');
}

/** The issuer of a source that does not name one: nobody has its tokens until somebody says who it is. */
export function unknownIssuer(prefix: string, issuer = 'https://issuer.invalid'): Section {
  return {
    issuer: new Variable(`${prefix}_ISSUER`, issuer),
    jwks: new Variable(`${prefix}_JWKS`, 'https://issuer.invalid/jwks.json'),
    audiences: [new Variable(`${prefix}_AUDIENCE`, `set-${prefix}_AUDIENCE`)],
  };
}
