import type { CallOptions, Credentials } from './client-options.ts';

/** How an operation is sent and read. */
export interface Plan {
  readonly method: string;
  readonly path: string;
  /** The sets of credentials that each open it, the preferred one first. */
  readonly schemes: readonly (readonly (keyof Credentials)[])[];
  readonly answer: 'json' | 'nothing' | 'response';
  /** What it answers with when a stream is asked for. */
  readonly stream?: string;
  /** Media type of the body; undefined when the caller sends what it likes. */
  readonly bodyType?: string;
  /** The parameter of the path that may have slashes. */
  readonly rest?: string;
  /** Parameters of the query that are lists with commas. */
  readonly commas?: readonly string[];
}

/** @internal */
export interface LooseInit extends CallOptions {
  readonly params?: { readonly path?: object; readonly query?: object; readonly header?: object } | undefined;
  readonly body?: unknown;
}
