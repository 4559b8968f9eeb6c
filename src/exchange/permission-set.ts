/** Permissions that somebody has, or does not have. */
export interface PermissionSet {
  /** Whether a permission is one of them: by its own name, or by a wider one with a `*`. */
  implies(name: string): boolean;
}

const SEPARATOR = /[.:]/;

/**
 * A set of permissions. Their segments stand between dots or colons. A `*` is a whole segment: the last one stands for one
 * or more, any other for exactly one; `*` alone is everything. `orders` is not `orders.read`, and case counts.
 */
export function permissionsOf(names: readonly string[]): PermissionSet {
  const exact = new Set(names);
  const wide = [...exact].filter((name) => name.split(SEPARATOR).includes('*')).map((name) => new Wide(name));
  if (wide.length === 0) return { implies: (name) => exact.has(name) };
  return { implies: (name) => exact.has(name) || wide.some((one) => one.implies(name)) };
}

class Wide {
  readonly #segments: readonly string[];
  readonly #separators: readonly string[];
  readonly #isOpen: boolean;

  constructor(name: string) {
    this.#segments = name.split(SEPARATOR);
    this.#separators = separatorsOf(name);
    this.#isOpen = this.#segments.at(-1) === '*';
  }

  implies(name: string): boolean {
    const segments = name.split(SEPARATOR);
    const least = this.#segments.length;
    if (this.#isOpen ? segments.length < least : segments.length !== least) return false;
    const separators = separatorsOf(name);
    return (
      this.#segments.every((one, at) => one === '*' || one === segments[at]) &&
      this.#separators.every((one, at) => one === separators[at]) &&
      !segments.includes('')
    );
  }
}

function separatorsOf(name: string): readonly string[] {
  return name.match(/[.:]/g) ?? [];
}
