/**
 * Runs something synchronous in which errors capture no stack. What is wrong with a request is an answer, not a defect;
 * libraries tell it in errors, whose stacks are most of what it costs, and clients make as many as they like.
 */
export function withoutStack<T>(run: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return run();
  } finally {
    Error.stackTraceLimit = limit;
  }
}
