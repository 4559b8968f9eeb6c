/** What is between clients and the gateway, or the gateway's alone to say, in one configuration; no service gets it of a client. */
export interface OwnFields {
  /** Names of cookies. */
  readonly cookies: readonly string[];
  /** Names of header fields, folded, besides those that are reserved whatever the configuration says. */
  readonly names: ReadonlySet<string>;
}
