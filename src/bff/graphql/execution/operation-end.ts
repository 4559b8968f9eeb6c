import type { OperationEnd } from '../../../exchange/answer-keeper.ts';
import { catalogue, type ProblemCode } from '../../../problems/catalogue.ts';
import { Problem } from '../../../problems/problem.ts';
import type { AnswerValue } from './graphql-answer.ts';
import type { Answered, OperationResult } from './operation-result.ts';

const NOT_RUN: OperationEnd = Object.freeze({ wasRun: false, changes: false, faults: [] });

/** Says how an operation has ended, for who keeps its answer. */
export function operationEnd(result: OperationResult): OperationEnd {
  if (result.kind !== 'answered') return NOT_RUN;
  const { value, changes } = result;
  // What a mutation has done is told, and must not be done again because something else has failed.
  const faults = changes && showsResult(value) ? [] : faultsOf(value);
  return { wasRun: true, changes, faults };
}

function faultsOf({ errors = [] }: Answered['value']): readonly Problem[] {
  return errors.map(({ extensions }) => {
    const code = extensions?.['code'];
    return new Problem(isKnown(code) ? code : 'internal');
  });
}

/** Whether a field of the root has a value, or is `null` and no error says why. */
function showsResult({ data, errors = [] }: AnswerValue): boolean {
  const failed = new Set(errors.map(({ path }) => path?.[0]));
  return Object.entries(data ?? {}).some(([field, value]) => value !== null || !failed.has(field));
}

function isKnown(code: unknown): code is ProblemCode {
  return typeof code === 'string' && Object.hasOwn(catalogue, code);
}
