import type { Middleware } from 'openapi-fetch';

/** What a client is made with. */
export interface ClientOptions {
  /** Where the gateway is, such as `https://api.example.com`; may have a path. */
  readonly baseUrl: string;
  /** Asked for before each request that needs one; the first that has something to say is sent. */
  readonly credentials?: Credentials | undefined;
  /** Makes the requests. Default: the global `fetch`. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined;
  /** Header fields of every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Middlewares of `openapi-fetch`; they see requests with their credentials, and answers before they are read. */
  readonly middleware?: readonly Middleware[] | undefined;
  /** Hears of every answer before it is read, problems included. */
  readonly onAnswer?: ((operationId: string, response: Response) => void) | undefined;
}

type Secret = () => string | undefined | Promise<string | undefined>;

/** Where credentials come from. A token that has expired is best refreshed here. */
export interface Credentials {
  /** Gives a token, without `Bearer`. */
  readonly jwt?: Secret | undefined;
  /** Gives a token that the authorization server is asked about, without `Bearer`. */
  readonly introspection?: Secret | undefined;
  /** Gives an API key. */
  readonly apiKey?: Secret | undefined;
}

/** What may differ from request to request. */
export interface CallOptions {
  /** Ends the request; the promise rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}
