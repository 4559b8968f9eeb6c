/** The time that kept values and batches live by; replaced in specs. */
export interface CallTime {
  /** Monotonic, in ms. */
  now(): number;
  /** Runs something after everything that is ready to run now, promises included. */
  afterTurn(run: () => void): void;
}

/** The clock of this process. */
export const processTime: CallTime = {
  now: () => performance.now(),
  // Not `nextTick` and no microtask: resolvers of one level reach their calls after different numbers of promises.
  afterTurn: (run) => void setImmediate(run),
};

/** Token of the {@link CallTime} that the caller uses; optional. */
export const CALL_TIME = Symbol('CALL_TIME');
