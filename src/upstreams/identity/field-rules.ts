import type { RouteIdentityOptions } from './identity.schema.ts';

/** Without them nobody could read the body, or the handshake would be none. */
const OF_THE_MESSAGE =
  /^(?:content-(?:type|length|encoding)|grpc-(?:encoding|accept-encoding|timeout)|sec-websocket-.*)$/;
const NONE: ReadonlySet<string> = new Set();

/** Which header fields of clients reach the targets; made once for each upstream, and for routes that say something else. */
export class FieldRules {
  /** Whether `Authorization` passes, where nothing else keeps it. */
  readonly passesAuthorization: boolean;
  /** Undefined for all. */
  readonly #allowed: ReadonlySet<string> | undefined;
  readonly #beginnings: readonly string[];

  constructor({ authorization, allowHeaders }: RouteIdentityOptions, passesByDefault: boolean) {
    this.passesAuthorization = authorization === undefined ? passesByDefault : authorization === 'forward';
    const names = allowHeaders?.filter((name) => !name.endsWith('*'));
    this.#allowed = names === undefined ? undefined : names.length === 0 ? NONE : new Set(names);
    this.#beginnings = (allowHeaders ?? [])
      .filter((name) => name.endsWith('*'))
      .map((name) => name.slice(0, -1));
  }

  /**
   * Whether a field passes.
   *
   * @param lower its name in lower case: another spelling of a name that is listed is not listed.
   */
  takes(lower: string): boolean {
    // A proof is bound to the token that it came with (RFC 9449 section 4.1).
    if (!this.passesAuthorization && (lower === 'authorization' || lower === 'dpop')) return false;
    if (this.#allowed === undefined || this.#allowed.has(lower)) return true;
    return this.#beginnings.some((one) => lower.startsWith(one)) || OF_THE_MESSAGE.test(lower);
  }
}
