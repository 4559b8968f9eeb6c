/** The authenticated caller. Frozen; shared by every exchange that presents the same credential. */
export interface Principal {
  /** Stable identifier: the `sub` of a token, or the client id of an API key. */
  readonly id: string;
  /** How the caller proved who it is. */
  readonly scheme: 'jwt' | 'apiKey' | 'introspection' | 'mtls';
  /** The client application: `azp` or `client_id` of a token, or the client id of an API key. */
  readonly clientId: string | undefined;
  /** A digest that names the API key without revealing it; undefined for other schemes. */
  readonly apiKeyId: string | undefined;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  /** OAuth scopes of a token. */
  readonly scopes: readonly string[];
  readonly email: string | undefined;
  readonly tenant: string | undefined;
  readonly tier: string | undefined;
  /** The verified claims of a token, for conditions; empty for API keys. */
  readonly claims: Readonly<Record<string, unknown>>;
}
