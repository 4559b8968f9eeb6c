import { StandardSchemaValidationPipe } from '@nestjs/common';
import { pointerOf } from '../../exchange/json-pointer.ts';
import { Problem } from '../../problems/problem.ts';

type Issues = Parameters<
  NonNullable<ConstructorParameters<typeof StandardSchemaValidationPipe>[0]>['exceptionFactory'] & {}
>[0];
type Path = Issues[number]['path'];

/** How many faults are told. More would only repeat themselves, and the answer must not be a multiple of the request. */
export const MAX_ERRORS = 50;

/**
 * Checks parameters against the schema in their decorator: `@Body({ schema })`, `@Query({ schema })`. What does
 * not fit becomes `request-invalid` with `errors`, a JSON pointer (RFC 6901) and a message each; the value that
 * was sent is never repeated.
 */
export const schemaPipe = new StandardSchemaValidationPipe({ exceptionFactory: requestInvalid });

/** One thing that is wrong with what a client sent. */
export interface SchemaFault {
  /** A JSON pointer (RFC 6901) into it; empty for the whole. */
  readonly pointer: string;
  readonly message: string;
}

/** What the issues of a schema tell the client: at most fifty, without the value that was sent. */
export function faultsOf(issues: Issues): readonly SchemaFault[] {
  return issues.slice(0, MAX_ERRORS).map(({ path, message }) => ({ pointer: pointerOfPath(path), message }));
}

function requestInvalid(issues: Issues): Problem {
  return new Problem('request-invalid', { extensions: { errors: faultsOf(issues) } });
}

function pointerOfPath(path: Path): string {
  return pointerOf(
    (path ?? []).map((segment) => String(typeof segment === 'object' ? segment.key : segment)),
  );
}
