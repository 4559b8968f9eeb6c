/** What a service is asked about that decides by Envoy's external authorization protocol, in its words. */
export interface AuthorizationCheck {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly scheme: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The address of the client, and who it is; empty for nobody. */
  readonly address: string;
  readonly principal: string;
  readonly context: Readonly<Record<string, string>>;
}

/** What it decides. */
export interface AuthorizationVerdict {
  readonly allowed: boolean;
  /** What a client is told that is refused; 0 for nothing in particular. */
  readonly status: number;
  /** Flat list of header fields, for the service behind or for the client, as they came. */
  readonly fields: readonly string[];
  readonly body: string;
}
