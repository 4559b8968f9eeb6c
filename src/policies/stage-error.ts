/** Something wrong with the options of a policy for a route, below one of their keys. */
export class StageError extends Error {
  override readonly name = 'StageError';
  readonly key: readonly (string | number)[];
  /** The nearest valid name. */
  readonly suggestion: string | undefined;

  constructor(key: readonly (string | number)[], message: string, suggestion?: string) {
    super(message);
    this.key = key;
    this.suggestion = suggestion;
  }
}

/** Compiles a part of the options, below a key. @throws {StageError} of the part, with its whole path. */
export function below<Result>(key: readonly (string | number)[], compile: () => Result): Result {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    throw new StageError([...key, ...error.key], error.message, error.suggestion);
  }
}
