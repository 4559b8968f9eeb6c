import { fromJson } from '@bufbuild/protobuf';
import { Problem } from '../../problems/problem.ts';
import type { TemplateScope } from '../../templates/template-scope.ts';
import type { GrpcOperation } from './aggregate.ts';

/** The message of a call. @throws {Problem} for a value that does not fit. */
export function messageOf({ method, registry, input }: GrpcOperation, scope: TemplateScope) {
  const json = input(scope);
  try {
    return fromJson(method.input, json, { registry });
  } catch (error) {
    // The field names were checked at load: what does not fit is a value that came with the request.
    throw new Problem('request-invalid', { cause: error });
  }
}
