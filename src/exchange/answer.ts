/** An answer of a stage, which ends the walk before anybody else is asked. */
export interface Answer {
  readonly status: number;
  /** Flat list: name, value, name, value. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** The same fields as lines, each with a line break before it, where they are ready to be written. */
  readonly lines?: string | undefined;
  /** Flat list of the fields that follow the body, which has no length then; only where answers are forwarded. */
  readonly trailers?: readonly string[] | undefined;
}
