import type { Exchange } from '../../exchange/exchange.ts';
import { identityHeaders } from '../../exchange/identity-headers.ts';
import type { Principal } from '../../exchange/principal.ts';
import { foldName } from '../../exchange/reserved-names.ts';
import { Problem } from '../../problems/problem.ts';
import type { KeyRing } from '../../signing/key-ring.ts';
import type { Upstream } from '../upstream.ts';
import { FieldRules } from './field-rules.ts';
import type { UpstreamIdentityOptions } from './identity.schema.ts';
import type { IdentityTokens } from './identity-token.ts';
import type { TokenExchange } from './token-exchange.ts';

let counted = 0;

/** What a service identity is made of. */
export interface ServiceIdentityParts {
  /** Differs as soon as services would learn something else. */
  readonly digest: string;
  readonly options: UpstreamIdentityOptions;
  readonly tokens: IdentityTokens | undefined;
  readonly ring: KeyRing | undefined;
  readonly exchange: TokenExchange | undefined;
}

/** What the services behind one upstream learn of callers, where that is not as usual. */
export class ServiceIdentity {
  readonly digest: string;
  /** Which fields of clients they get; undefined for all. */
  readonly rules: FieldRules | undefined;
  /** Whether there is something that is only known when a target is chosen. */
  readonly signs: boolean;
  readonly #tokens: IdentityTokens | undefined;
  readonly #ring: KeyRing | undefined;
  readonly #exchange: TokenExchange | undefined;
  readonly #foldedHeader: string;
  readonly #told: ReadonlySet<string> | undefined;
  readonly #more = new WeakMap<Principal, string>();
  #holders = 0;
  readonly #chosen = new WeakMap<Principal, readonly string[]>();
  readonly #chosenWithoutToken = new WeakMap<Principal, readonly string[]>();

  constructor({ digest, options, tokens, ring, exchange }: ServiceIdentityParts) {
    const { headers, authorization, allowHeaders } = options;
    this.digest = digest;
    this.#tokens = tokens;
    this.#ring = ring;
    this.#exchange = exchange;
    this.#foldedHeader = foldName(tokens?.header ?? '');
    this.signs = tokens !== undefined || exchange !== undefined;
    this.#told = headers === undefined ? undefined : new Set(headers);
    // Where the service gets a token of its own, that of the client is nothing it needs.
    const saysRules = this.signs || authorization !== undefined || allowHeaders !== undefined;
    this.rules = saysRules ? new FieldRules(options, !this.signs) : undefined;
  }

  /**
   * The plain identity headers of a caller: a flat, frozen list, the same one each time.
   *
   * @param takesToken whether the token of a session goes along, which the route has asked for, also where no other would.
   */
  told(principal: Principal | undefined, takesToken: boolean): readonly string[] {
    const all = identityHeaders(principal);
    const names = this.#told;
    const keepsToken = takesToken || this.rules?.passesAuthorization !== false;
    if (principal === undefined || (names === undefined && (keepsToken || principal.bearer === undefined)))
      return all;
    const chosenBefore = keepsToken ? this.#chosen : this.#chosenWithoutToken;
    let chosen = chosenBefore.get(principal);
    if (chosen === undefined) {
      const kept = all.filter((_, at) => {
        const name = (all[at - (at % 2)] as string).toLowerCase();
        // The token of a session: the policy of the route has asked for it, and that of the client is gone.
        return name === 'authorization' ? keepsToken : names?.has(name) !== false;
      });
      chosen = Object.freeze(kept);
      chosenBefore.set(principal, chosen);
    }
    return chosen;
  }

  /**
   * What the services are told of a caller besides {@link told}, as JSON: whatever they answer by that may depend on it.
   * With tokens that were exchanged that is everything the token of the client says, so each of these is one of its own.
   */
  tells(principal: Principal): string {
    if (!this.signs) return '';
    let more = this.#more.get(principal);
    if (more === undefined) {
      const credential = this.#exchange === undefined ? undefined : (counted += 1);
      more = JSON.stringify([this.#tokens?.claimsOf(principal), credential]);
      this.#more.set(principal, more);
    }
    return more;
  }

  /**
   * Sees to it that everything is there that {@link signed} needs.
   *
   * @returns undefined if it is; else a promise, which rejects with the problem that is answered.
   */
  awaits(exchange: Exchange): Promise<void> | undefined {
    const tokens = this.#tokens;
    if (tokens !== undefined && !tokens.isReady && tokens.isFor(exchange.principal))
      return this.#awaitsKey(tokens, exchange);
    return this.#exchange?.awaits(exchange);
  }

  /**
   * The fields of an attempt with the tokens of its caller; the given list is not changed. What a route has edited by name
   * stays as it says, and a TRACE says nothing of its caller.
   *
   * @param fields names and values; names of tokens are added in lower case.
   */
  signed(fields: readonly string[], { principal, headerEdits, method }: Exchange): readonly string[] {
    if (!this.signs || method === 'TRACE') return fields;
    const token = this.#tokens?.tokenFor(principal);
    const given = this.#exchange?.tokenFor(principal);
    let out = fields;
    if (token !== undefined && headerEdits?.folded.has(this.#foldedHeader) !== true)
      out = replaced(out, (this.#tokens as IdentityTokens).header, token);
    if (given !== undefined && headerEdits?.folded.has('authorization') !== true)
      out = replaced(out, 'authorization', `Bearer ${given}`);
    return out;
  }

  /** Keeps it from ending until as many {@link release}. */
  hold(): void {
    this.#holders += 1;
  }

  /** Lets it go; when nobody holds it any more, it ends what it has open. */
  release(): void {
    this.#holders -= 1;
    if (this.#holders === 0) this.#exchange?.close();
  }

  async #awaitsKey(tokens: IdentityTokens, exchange: Exchange): Promise<void> {
    await this.#ring?.ready();
    // Fails closed: a service that goes by the token would take the caller for nobody.
    if (!tokens.isReady)
      throw new Problem('identity-unavailable', {
        detail: 'There is no key to sign the identity of the caller with.',
        headers: { 'retry-after': '1' },
      });
    await this.#exchange?.awaits(exchange);
  }
}

/**
 * The plain identity headers for a service; all of them where nobody knows it yet.
 *
 * @param takesToken whether it is what the route is for, so that the token of a session goes along where the route says so.
 */
export function toldTo(
  upstream: Pick<Upstream, 'identity'> | undefined,
  principal: Principal | undefined,
  takesToken = false,
): readonly string[] {
  const identity = upstream?.identity;
  return identity === undefined ? identityHeaders(principal) : identity.told(principal, takesToken);
}

/** The fields of an attempt as its service gets them, see {@link ServiceIdentity.signed}. */
export function signedFor(
  upstream: Pick<Upstream, 'identity'> | undefined,
  fields: readonly string[],
  exchange: Exchange,
): readonly string[] {
  const identity = upstream?.identity;
  return identity === undefined ? fields : identity.signed(fields, exchange);
}

function replaced(fields: readonly string[], name: string, value: string): readonly string[] {
  const out: string[] = [];
  for (let i = 0; i < fields.length; i += 2)
    if ((fields[i] as string).toLowerCase() !== name) out.push(fields[i] as string, fields[i + 1] as string);
  out.push(name, value);
  return out;
}
