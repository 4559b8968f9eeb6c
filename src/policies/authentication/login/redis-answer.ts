/** Not on the path of each request. */
const BUDGET_MS = 500;

/** An answer of Redis. Rejects when it has not come within half a second. */
export function answerOf<Result>(asked: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('Redis did not answer in time')), BUDGET_MS);
    asked.then(resolve, reject).finally(() => clearTimeout(timer)); // prettier-ignore
  });
}
