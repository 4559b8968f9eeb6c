import type { Exchange } from '../../../exchange/exchange.ts';
import type { Principal } from '../../../exchange/principal.ts';
import { authorizationOf, soleHeader } from '../credential-header.ts';
import { REALM, refused, UNKNOWN, type Clock, type CredentialVerifier } from '../verifier.ts';
import { hashApiKey, isMistyped } from './api-key.ts';
import type { ApiKeyDirectory } from './api-key.directory.ts';
import type { ApiKeyWatch, ConfiguredKeys } from './api-key.watch.ts';
import { REFUSAL, refusalOf, type KnownKey } from './known-key.ts';

/** Any visible text of a sane length, so that keys that were made elsewhere can be taken over. */
const PLAUSIBLE_KEY = /^[!-~]{16,256}$/;
/** An `Authorization` that has a key, or should have. */
const BY_AUTHORIZATION = /^apikey(?: |$)/i;

/** What keys are checked against, and who minds those that are let in. */
export interface ApiKeyVerifierDeps {
  readonly configured: ConfiguredKeys;
  readonly directory: ApiKeyDirectory | undefined;
  readonly watch: ApiKeyWatch;
  /** Whether there are keys, or may be. */
  readonly isConfigured: boolean;
  readonly clock: Clock;
}

/**
 * Verifies API keys: `X-API-Key: <key>`, which the open stage has put there where the configuration names another place, or
 * `Authorization: ApiKey <key>`.
 */
export class ApiKeyVerifier implements CredentialVerifier {
  readonly scheme = 'apiKey';
  readonly #deps: ApiKeyVerifierDeps;

  constructor(deps: ApiKeyVerifierDeps) {
    this.#deps = deps;
  }

  get configured(): boolean {
    return this.#deps.isConfigured;
  }

  challenge(): string {
    return `ApiKey realm="${REALM}"`;
  }

  verify(exchange: Exchange): Principal | Promise<Principal> | undefined {
    const key = keyOf(exchange);
    if (key === undefined) return undefined;
    if (!PLAUSIBLE_KEY.test(key) || isMistyped(key)) throw refused(REFUSAL);
    const hash = hashApiKey(key);
    const known = this.#deps.configured.get(hash) ?? this.#deps.directory?.find(hash);
    return known instanceof Promise
      ? known.then((late) => this.#admit(late, exchange))
      : this.#admit(known, exchange);
  }

  known(exchange: Exchange): Principal | typeof UNKNOWN | undefined {
    const key = keyOf(exchange);
    if (key === undefined) return undefined;
    const hash = hashApiKey(key);
    const { configured, directory, clock } = this.#deps;
    const known = configured.get(hash) ?? directory?.remembered(hash);
    return refusalOf(known, exchange, clock()) === undefined ? this.#admit(known, exchange) : UNKNOWN;
  }

  #admit(key: KnownKey | undefined, exchange: Exchange): Principal {
    const { watch, clock } = this.#deps;
    const now = clock();
    const refusal = refusalOf(key, exchange, now);
    if (refusal !== undefined || key === undefined) throw refusal ?? refused(REFUSAL);
    watch.admitted(exchange, key, now);
    return key.principal;
  }
}

/** @throws {Problem} `credentials-invalid` for several: who else reads them could take the other one for the caller's. */
function keyOf({ request }: Exchange): string | undefined {
  const key = soleHeader(request, 'x-api-key');
  if (key === undefined) return authorizationOf(request, 'apikey');
  if (BY_AUTHORIZATION.test(request.headers.authorization ?? '')) throw refused(REFUSAL);
  return key;
}
