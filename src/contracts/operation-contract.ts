import type { ProblemCode } from '../problems/catalogue.ts';
import type { Answer, Parameter, RequestBody } from './openapi.ts';

/** What is known of an operation besides its policies: what goes in and what comes out. */
export interface OperationContract {
  readonly summary?: string | undefined;
  readonly description?: string | undefined;
  readonly deprecated?: boolean | undefined;
  /** Those of the path may be left out; they are text then. */
  readonly parameters: readonly Parameter[];
  readonly requestBody?: RequestBody | undefined;
  /** By status, or `default`. */
  readonly answers: Readonly<Record<string, Answer>>;
  /** Problems besides those of the stages. */
  readonly problems: readonly ProblemCode[];
}
