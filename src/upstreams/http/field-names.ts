import { foldName, isClaimName, isIdentityName } from '../../exchange/reserved-names.ts';

/** Fields that concern one connection only, and so never travel on (RFC 9110 section 7.6.1). */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

/** Fields that the gateway answers for itself: it sets them anew, or keeps them to itself. */
const OWNED = [
  'host',
  'expect',
  'x-api-key',
  'x-gatehouse-mirror',
  'x-gatehouse-identity',
  'x-request-id',
  'x-request-deadline-ms',
  'traceparent',
  'tracestate',
];

/** Fields that pass, but in no other spelling: what they say was checked, or frames the message. */
const ONLY_AS_WRITTEN = new Map(['authorization', 'cookie', 'content-length'].map((name) => [foldName(name), name])); // prettier-ignore

const KEPT: ReadonlySet<string> = new Set([...HOP_BY_HOP, ...OWNED].map(foldName));

/** The proof that goes with a token that is bound to a key (RFC 9449 section 4.1). */
const PROOF = 'dpop';

const MAX_NAMES = 1024;
const MAX_NAME_LENGTH = 64;

/** What is known of the name of a header field that a client sent. */
export interface FieldName {
  readonly lower: string;
  readonly folded: string;
  /**
   * `kept` never reaches a service, `claim` only where the configuration says so, and `proof` only where the gateway has not
   * found out who calls: a proof of possession holds once, so that a service could not verify it again (RFC 9449 section 11.1).
   */
  readonly fate: 'pass' | 'claim' | 'proof' | 'kept';
}

/** Whether a field concerns one connection only. Lower-case name. */
export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name);
}

/** Whether a field of this name, in whatever spelling, is for the gateway alone to say or to hear. */
export function isKept(name: string): boolean {
  const { fate } = fieldNameOf(name);
  return fate === 'kept' || fate === 'proof';
}

/** Judges the name of a field. */
export function fieldNameOf(name: string): FieldName {
  const [lower, folded] = [name.toLowerCase(), foldName(name)];
  const isAlias = ONLY_AS_WRITTEN.has(folded) && ONLY_AS_WRITTEN.get(folded) !== lower;
  if (isAlias || KEPT.has(folded) || isIdentityName(folded)) return { lower, folded, fate: 'kept' };
  if (folded === PROOF) return { lower, folded, fate: 'proof' };
  return { lower, folded, fate: isClaimName(folded) ? 'claim' : 'pass' };
}

/** Remembers what was found out about the names of fields: clients send the same ones over and over. */
export class FieldNames {
  readonly #known = new Map<string, FieldName>();
  readonly #max: number;

  /** @param max names that are remembered at most; default 1024. */
  constructor(max = MAX_NAMES) {
    this.#max = max;
  }

  /** How many names are remembered. */
  get size(): number {
    return this.#known.size;
  }

  /** What is known of a name, spelled as it was sent. */
  of(name: string): FieldName {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const found = fieldNameOf(name);
    if (name.length > MAX_NAME_LENGTH) return found;
    // All at once, so that one who makes names up cannot keep those of others out.
    if (this.#known.size >= this.#max) this.#known.clear();
    this.#known.set(name, found);
    return found;
  }
}
