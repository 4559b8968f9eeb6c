import type { DescMethodUnary, JsonValue, Registry } from '@bufbuild/protobuf';
import type { SectionPlan } from '../composition/section-run.ts';
import type { ReuseKeys } from './aggregate.schema.ts';
import type { TemplateScope } from '../../templates/template-scope.ts';
import type { GrpcMany } from './grpc-many.ts';
import type { HttpMany } from './http-many.ts';

/** A GET of an HTTP upstream. */
export interface HttpOperation {
  readonly kind: 'http';
  /** Path and query. @throws {Problem} when a value that it needs is missing. */
  readonly target: (scope: TemplateScope) => string;
  readonly many?: HttpMany | undefined;
}

/** A unary call of a gRPC upstream. */
export interface GrpcOperation {
  readonly kind: 'grpc';
  readonly method: DescMethodUnary;
  readonly registry: Registry;
  /** The message in proto3 JSON. @throws {Problem} when a value that it needs is missing. */
  readonly input: (scope: TemplateScope) => JsonValue;
  readonly many?: GrpcMany | undefined;
}

/** One call of an aggregated route, compiled. */
export interface AggregateCall extends SectionPlan {
  /** Place in the file; also the place of its answer in a scope. */
  readonly index: number;
  readonly upstream: string;
  readonly operation: HttpOperation | GrpcOperation;
  readonly reuse: ReuseKeys;
  /** Places of the calls that it waits for. */
  readonly dependencies: readonly number[];
}

/** What an aggregated route answers with, compiled. Frozen; shared by all exchanges of its route. */
export interface Aggregate {
  readonly calls: readonly AggregateCall[];
  /** Fields of the request that the answer depends on, for `Vary`; undefined without one. */
  readonly vary: string | undefined;
  /** Whether the answer depends on who asks. */
  readonly isPersonal: boolean;
  /** Most elements of lists that are mapped for one answer. */
  readonly maxElements: number;
  /** Largest answer, in bytes. */
  readonly maxAnswer: number;
  /** Makes the body of the answers in the scope. */
  readonly respond: (scope: TemplateScope) => Record<string, unknown>;
}
