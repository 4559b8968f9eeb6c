/** An error of a GraphQL operation. */
export interface GraphqlError {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  /** `code` is the one of the problem. */
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** What has come of a GraphQL operation. */
export interface GraphqlResult<Data> {
  readonly data?: Data | null;
  readonly errors?: readonly GraphqlError[];
  readonly extensions?: Readonly<Record<string, unknown>>;
}
