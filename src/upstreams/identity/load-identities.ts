import { readSecretFile } from '../../config/secret-file.ts';
import { readSecret } from '../../config/secrets.ts';
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import type { FileRemark } from '../../config/pem-files.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { KeyRing } from '../../signing/key-ring.ts';
import { readKeys, signingKey } from '../../signing/signing-key.ts';
import type { TokenExchangeMetrics } from '../../telemetry/token-exchange-metrics.ts';
import type { UpstreamOptions } from '../upstream.schema.ts';
import type { ClientCredential } from './client-credentials.ts';
import type { ExchangeOptions } from './exchange.schema.ts';
import type { TokenOptions, UpstreamIdentityOptions } from './identity.schema.ts';
import { IdentityTokens } from './identity-token.ts';
import { ServiceIdentity, type ServiceIdentityParts } from './service-identity.ts';
import { TokenExchange } from './token-exchange.ts';

/** What the identities of a configuration are made with. */
export interface IdentityMaking {
  /** That relative names of files start from: the one of the configuration file. */
  readonly folder: string;
  /** The `iss` of tokens and who signs them; undefined where nobody does. */
  readonly signing: { readonly issuer: string; readonly ring: KeyRing } | undefined;
  /** Whether the configuration says who signs; what is wrong with that is told elsewhere. */
  readonly saysSigning: boolean;
  /** How long each key signs, in ms; undefined for those that somebody else rotates. */
  readonly rotateMs: number | undefined;
  /** The issuers whose tokens are accepted. */
  readonly issuers: readonly string[];
  /** The token that a request has come with. */
  readonly tokenOf: (exchange: Exchange) => string | undefined;
  /** Counts exchanges of tokens. Default: nobody does. */
  readonly metrics?: TokenExchangeMetrics | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

/** What services learn of callers, by upstream, where that is not as usual. */
export interface LoadedIdentities {
  /** Makers, because an upstream that goes on as it is has its own already. */
  readonly upstreams: ReadonlyMap<string, IdentityMaker>;
  readonly faults: readonly FileRemark[];
}

/** Makes what the services of an upstream learn. */
export interface IdentityMaker {
  readonly digest: string;
  make(): ServiceIdentity;
}

/** Reads what the `identity` of upstreams needs from outside the configuration, and says what is wrong with it. */
export function loadIdentities(
  upstreams: Readonly<Record<string, UpstreamOptions>>,
  making: IdentityMaking,
): LoadedIdentities {
  const loaded = new Map<string, IdentityMaker>();
  const faults: FileRemark[] = [];
  for (const [name, { identity }] of Object.entries(upstreams)) {
    if (identity === undefined) continue;
    const loading = new IdentityLoading(name, identity, making);
    const maker = loading.load();
    faults.push(...loading.faults);
    if (loading.faults.length === 0) loaded.set(name, maker);
  }
  return { upstreams: loaded, faults };
}

class IdentityLoading {
  readonly faults: FileRemark[] = [];
  readonly #name: string;
  readonly #options: UpstreamIdentityOptions;
  readonly #making: IdentityMaking;

  constructor(name: string, options: UpstreamIdentityOptions, making: IdentityMaking) {
    this.#name = name;
    this.#options = options;
    this.#making = making;
  }

  load(): IdentityMaker {
    const { token, exchange } = this.#options;
    const { signing, tokenOf, metrics } = this.#making;
    const ring = token === undefined ? undefined : this.#checkToken(token);
    const credential = exchange && this.#credentialOf(exchange);
    const issuer = exchange && this.#issuerOf(exchange);
    const parts: Omit<ServiceIdentityParts, 'tokens' | 'exchange'> = {
      digest: this.#digest([ring?.id, signing?.issuer, issuer, credentialText(credential)]),
      options: this.#options,
      ring,
    };
    const upstream = this.#name;
    const make = (): ServiceIdentity =>
      new ServiceIdentity({
        ...parts,
        tokens: token && ring && new IdentityTokens(token, { upstream, issuer: signing?.issuer ?? '', ring }),
        exchange:
          exchange &&
          credential &&
          new TokenExchange(exchange, {
            credential,
            issuer: issuer ?? '',
            tokenOf,
            ended: (outcome, seconds) => metrics?.ended(upstream, outcome, seconds),
          }),
      });
    return { digest: parts.digest, make };
  }

  #checkToken({ lifetime }: TokenOptions): KeyRing | undefined {
    const { signing, saysSigning, rotateMs = Infinity } = this.#making;
    if (!saysSigning) this.#fault(['token'], 'needs `identity.signing`, which says whose keys sign it');
    // A key is published for one epoch after the last token that it has signed.
    if (lifetime > rotateMs) this.#fault(['token', 'lifetime'], 'expected no more than `identity.signing.rotate`');
    return signing?.ring;
  } // prettier-ignore

  #issuerOf({ issuer }: ExchangeOptions): string | undefined {
    const { issuers } = this.#making;
    // Fails closed: a token of one issuer would be shown to another one.
    if (issuer === undefined && issuers.length !== 1)
      this.#fault(['exchange'], 'expected `issuer`, one of `identity.issuers`: there is not just one');
    if (issuer !== undefined && !issuers.includes(issuer))
      this.#fault(['exchange', 'issuer'], 'expected one of `identity.issuers`');
    return issuer ?? issuers[0];
  }

  #credentialOf(options: ExchangeOptions): ClientCredential | undefined {
    return options.privateKeyFile === undefined
      ? this.#secretOf(options)
      : this.#keyOf(options.privateKeyFile);
  }

  #secretOf({ clientSecretEnv, clientSecretFile }: ExchangeOptions): ClientCredential | undefined {
    const { folder, environment } = this.#making;
    try {
      const from = { variable: clientSecretEnv, file: clientSecretFile, folder, environment };
      return { secret: readSecret(from) };
    } catch (error) {
      const key = clientSecretFile === undefined ? 'clientSecretEnv' : 'clientSecretFile';
      this.#fault(['exchange', key], (error as Error).message);
      return undefined;
    }
  }

  #keyOf(privateKeyFile: string): ClientCredential | undefined {
    const { folder } = this.#making;
    try {
      const [key] = readKeys(readSecretFile(resolve(folder, privateKeyFile)));
      const signing = key?.type === 'private' ? signingKey(key) : undefined;
      if (signing !== undefined) return { key: signing };
      this.#fault(['exchange', 'privateKeyFile'], 'expected a private key of P-256 or Ed25519');
    } catch (error) {
      this.#fault(['exchange', 'privateKeyFile'], (error as Error).message);
    }
    return undefined;
  }

  #digest(parts: readonly unknown[]): string {
    return createHash('sha256').update(JSON.stringify([this.#options, ...parts])).digest('base64url');
  } // prettier-ignore

  #fault(key: readonly string[], message: string): void {
    this.faults.push({ path: ['upstreams', this.#name, 'identity', ...key], message });
  }
}

function credentialText(credential: ClientCredential | undefined): string | undefined {
  if (credential === undefined) return undefined;
  return 'secret' in credential ? credential.secret : credential.key.published.kid;
}
