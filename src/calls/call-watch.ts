import { AsyncLocalStorage } from 'node:async_hooks';
import type { Call } from './call.ts';

type AnyCall = Call<never, unknown>;

/** Made on first use: a process that watches nothing pays nothing. */
let watching: AsyncLocalStorage<(call: AnyCall) => void> | undefined;

/**
 * Runs something, and hears of each call that it makes, before the call is made.
 *
 * @param hear what it throws, the caller of the call gets instead.
 */
export function watchCalls<Result>(hear: (call: AnyCall) => void, run: () => Result): Result {
  return (watching ??= new AsyncLocalStorage()).run(hear, run);
}

/** Tells who watches that a call is about to be made. */
export function noteCall(call: AnyCall): void {
  watching?.getStore()?.(call);
}
