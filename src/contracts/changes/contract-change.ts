/** One way in which a contract differs from the one that clients were given. */
export interface ContractChange {
  readonly contract: 'openapi' | 'graphql' | 'problems';
  /** What has happened, in capitals, such as `PARAMETER_REQUIRED`. */
  readonly kind: string;
  /** The operation, or the type of GraphQL. */
  readonly place: string;
  /** In words, with the place within. */
  readonly change: string;
  /** Whether a client that worked may work no longer; else it may only be surprised. */
  readonly breaks: boolean;
}

/** A change as one line, the same for the same change: by it somebody accepts a break. */
export function changeLine({ contract, kind, place, change }: ContractChange): string {
  // GraphQL says itself where it is.
  return contract === 'graphql' ? `${kind}: ${change}` : `${kind}: ${place}: ${change}`;
}
