import { StageFault } from './stage-fault.ts';

/** Compiles a part of the options of a policy, below a key. @throws {StageFault} of the part, with its whole path. */
export function below<Result>(key: readonly (string | number)[], compile: () => Result): Result {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof StageFault)) throw error;
    throw new StageFault([...key, ...error.key], error.message, error.suggestion);
  }
}
