import { createRequire } from 'node:module';
import { isThenable } from './plain-field.resolver.ts';

type Heard = (value: unknown) => void;

/** The part of a run of graphql-jit that its runtime touches. */
interface JitRun {
  promiseCounter: number;
  resolve(run: JitRun): void;
}

const NAMES = ['callResolver', 'handleResolverResult', 'handleListItemResult'] as const;

/**
 * Mends how graphql-jit takes in what resolvers bring, for all compiled operations of the process. As it is, a promise
 * in a list that rejects adds an element to the list; and what throws while a value is taken in, such as a
 * `resolveType` or a getter, is lost in a promise, so that the request never ends and the process does. Here, every
 * error becomes the value of its field or element, which graphql-jit turns into `null` and an error at its place.
 *
 * @throws {Error} when this version of graphql-jit has another runtime: fails closed, instead of mending nothing.
 */
export function mendJitRuntime(): void {
  // Its entry for ES modules uses the CommonJS files, and the object that they share is wanted here.
  const { jitRuntime } = createRequire(import.meta.url)('graphql-jit/dist/runtime.js') as {
    readonly jitRuntime: Record<string, unknown>;
  };
  for (const name of NAMES) {
    if (typeof jitRuntime[name] !== 'function')
      throw new Error(
        `graphql-jit has no runtime function ${name}; see src/bff/graphql/execution/jit-runtime.ts`,
      );
  }
  Object.assign(jitRuntime, { callResolver, handleResolverResult: take, handleListItemResult: take });
}

function callResolver(run: JitRun, call: () => unknown, onValue: Heard): void {
  let value: unknown;
  try {
    value = call();
  } catch (error) {
    value = asError(error);
  }
  take(run, value, onValue);
}

function take(run: JitRun, value: unknown, onValue: Heard): void {
  if (!isThenable(value)) return hand(value, onValue);
  run.promiseCounter += 1;
  const settle = (settled: unknown): void => {
    hand(settled, onValue);
    run.promiseCounter -= 1;
    if (run.promiseCounter === 0) run.resolve(run);
  };
  value.then(settle, (error: unknown) => settle(asError(error)));
}

function hand(value: unknown, onValue: Heard): void {
  try {
    onValue(value);
  } catch (error) {
    onValue(asError(error));
  }
}

/** graphql-jit knows an error by its class. */
function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
