import { TemplateError } from '../templates/template-fault.ts';
import { ActionError } from './route-action.ts';

/** Compiles what stands below a key of a route. @throws {ActionError} for what is wrong with it, with its whole path. */
export function below<Result>(key: readonly (string | number)[], compile: () => Result): Result {
  try {
    return compile();
  } catch (error) {
    if (error instanceof ActionError)
      throw new ActionError([...key, ...error.key], error.message, error.suggestion);
    if (error instanceof TemplateError) throw new ActionError(key, error.message, error.suggestion);
    throw error;
  }
}
