import type { FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import type { OperationOutcome } from './operation-meters.ts';
import type { CacheHint } from '../fields/operation-policies.ts';

/** Why an operation was not run: by its request, by what its door does not take, or by its document and variables. */
export type RefusedFor = 'request' | 'mutation' | 'subscription' | 'document';

/** An operation that was not run, or that has no data at all. */
export interface Refused {
  readonly kind: 'refused';
  readonly why: RefusedFor;
  readonly value: FormattedExecutionResult & { readonly errors: readonly GraphQLFormattedError[] };
}

/** An operation that ran. */
export interface Answered {
  readonly kind: 'answered';
  readonly outcome: OperationOutcome;
  readonly value: FormattedExecutionResult;
  /** Whether it may have changed something: it is a mutation. */
  readonly changes: boolean;
  /** How long the answer is good, as far as its fields say. */
  readonly cache: CacheHint;
}

/** An operation that something thrown has ended: a problem, or what nobody foresaw. */
export interface Failed {
  readonly kind: 'failed';
  readonly error: unknown;
}

/** A subscription that has begun. */
export interface Opened {
  readonly kind: 'opened';
  readonly answers: AsyncGenerator<FormattedExecutionResult, undefined, undefined>;
}

/** What became of an operation. Each door has its own way to say it. */
export type OperationResult = Refused | Answered | Failed | Opened;
