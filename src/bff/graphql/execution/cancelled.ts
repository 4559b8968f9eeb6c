import type { Exchange } from '../../../exchange/exchange.ts';

/**
 * Waits for something, unless its exchange is cancelled first. Resolvers that do not watch the exchange are left behind
 * when its deadline passes, or its client leaves.
 */
export function unlessCancelled<Value>(pending: Promise<Value>, exchange: Exchange): Promise<Value> {
  return new Promise((resolve, reject) => {
    exchange.onCancel(reject);
    pending.then(
      (value) => {
        exchange.offCancel(reject);
        resolve(value);
      },
      (error: unknown) => {
        exchange.offCancel(reject);
        reject(error as Error);
      },
    );
  });
}
