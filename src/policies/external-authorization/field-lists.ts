import { foldName, isIdentityName } from '../../exchange/reserved-names.ts';

/** What frames a message, or is for one connection only, or for the gateway to say. */
const NEVER: ReadonlySet<string> = new Set(
  `connection content-length expect host http2-settings keep-alive proxy-authenticate proxy-authorization proxy-connection
  te trailer transfer-encoding upgrade x-api-key dpop x-request-id x-request-deadline-ms x-gatehouse-mirror traceparent
  tracestate`
    .split(/\s+/)
    .map(foldName),
);

/** What a value of a header field may be made of (RFC 9110 section 5.5). */
const VALUE = /^[\t\x20-\x7E\x80-\xFF]*$/;
const MAX_VALUE = 8192;

/** Whether a field is nobody's to say but the gateway's, in whatever spelling. */
export function isNever(name: string): boolean {
  const folded = foldName(name);
  return NEVER.has(folded) || isIdentityName(folded);
}

/** Fields that an answer brings and that the configuration names; others are dropped, whoever sends them. */
export class FieldList {
  readonly #names: ReadonlySet<string>;
  /** The names, folded. */
  readonly folded: ReadonlySet<string>;

  /** @param names in lower case. */
  constructor(names: readonly string[]) {
    this.#names = new Set(names);
    this.folded = new Set(names.map(foldName));
  }

  /**
   * The named ones of a flat list, names in lower case.
   *
   * @throws {Error} for a value that no field may have: what smuggles one thing may smuggle another (fails closed).
   */
  of(fields: readonly string[]): readonly string[] {
    const found: string[] = [];
    for (let i = 0; i < fields.length; i += 2) {
      const [name, value] = [(fields[i] as string).toLowerCase(), fields[i + 1] as string];
      if (!this.#names.has(name)) continue;
      if (!VALUE.test(value) || value.length > MAX_VALUE)
        throw new Error(`${name}: a value that no field may have`);
      found.push(name, value);
    }
    return found;
  }
}
