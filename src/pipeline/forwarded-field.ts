/** What one proxy says of the request that it took (RFC 7239 section 4), as far as it matters here. */
export interface ForwardedHop {
  /** The node that sent it: an address with or without a port, `unknown`, or a name that it made up. */
  readonly node: string;
  readonly proto: string | undefined;
}

const PAIR =
  /[\t ]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:([!#$%&'*+.^_`|~0-9A-Za-z:[\]-]+)|"((?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*)")[\t ]*/y;
const EMPTY = /[\t ]*/y;

/**
 * Reads a `Forwarded` field.
 *
 * @returns the hops in their order, or undefined for what does not have its form: one who appends to it would say something
 *   else than is read.
 */
export function readForwarded(field: string): readonly ForwardedHop[] | undefined {
  const hops: ForwardedHop[] = [];
  let pairs = new Map<string, string>();
  let at = 0;
  while (at <= field.length) {
    PAIR.lastIndex = at;
    const pair = PAIR.exec(field);
    if (pair !== null) {
      const [whole, name = '', bare, quoted = ''] = pair;
      const key = name.toLowerCase();
      // Section 4: each parameter once in an element.
      if (pairs.has(key)) return undefined;
      pairs.set(key, bare ?? quoted.replace(/\\(.)/g, '$1'));
      at += whole.length;
    } else {
      EMPTY.lastIndex = at;
      at += EMPTY.exec(field)?.[0].length ?? 0;
    }
    const end = field[at];
    if (end !== undefined && end !== ';' && end !== ',') return undefined;
    if (end !== ';') {
      if (pairs.size > 0) hops.push({ node: pairs.get('for') ?? '', proto: pairs.get('proto') });
      pairs = new Map();
    }
    at += 1;
  }
  return hops;
}
