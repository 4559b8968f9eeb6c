import type { Exchange } from '../../../exchange/exchange.ts';
import type { Principal } from '../../../exchange/principal.ts';
import { hashApiKey } from './api-key.ts';
import type { ApiKeyDirectory } from './api-key.directory.ts';
import { authorizationOf, soleHeader } from '../credential-header.ts';
import { REALM, refused, type CredentialVerifier } from '../verifier.ts';

/** Any visible text of a sane length, so that keys that were made elsewhere can be taken over. */
const PLAUSIBLE_KEY = /^[!-~]{16,256}$/;

/** Verifies API keys: `X-API-Key: <key>`, or `Authorization: ApiKey <key>`. */
export class ApiKeyVerifier implements CredentialVerifier {
  readonly scheme = 'apiKey';
  readonly #directory: ApiKeyDirectory;

  constructor(directory: ApiKeyDirectory) {
    this.#directory = directory;
  }

  get configured(): boolean {
    return this.#directory.configured;
  }

  challenge(): string {
    return `ApiKey realm="${REALM}"`;
  }

  verify(exchange: Exchange): Principal | Promise<Principal> | undefined {
    const key = soleHeader(exchange.request, 'x-api-key') ?? authorizationOf(exchange.request, 'apikey');
    if (key === undefined) return undefined;
    if (!PLAUSIBLE_KEY.test(key)) throw refused(REFUSAL);
    const holder = this.#directory.holder(hashApiKey(key));
    return holder instanceof Promise ? holder.then(accepted) : accepted(holder);
  }
}

/** The same words for an unknown and a disabled key: which of them it is, is not the caller's to know. */
const REFUSAL = 'The API key is not valid.';

function accepted(holder: Principal | undefined): Principal {
  if (holder === undefined) throw refused(REFUSAL);
  return holder;
}
