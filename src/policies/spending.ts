import type { Exchange } from '../exchange/exchange.ts';

/** The part of a stage that charges operations of GraphQL. */
export interface SpendingStage {
  /** Charges what an operation of GraphQL turned out to cost, beyond what `enter` took; throws what speaks against it. */
  readonly spend?: ((exchange: Exchange, cost: number) => void | Promise<void>) | undefined;
  /** Gives back what was taken of an operation whose cost was too much, for this stage or for another one. */
  readonly unspend?: ((exchange: Exchange) => void) | undefined;
}

/**
 * Has stages charge what an operation of GraphQL turned out to cost; who is refused by one of them gets back what the others can
 * give back. Synchronous as long as the stages are.
 */
export function spendAt(
  stages: readonly SpendingStage[],
  exchange: Exchange,
  cost: number,
): void | Promise<void> {
  const giveBack = (error: unknown): never => {
    for (const stage of stages) stage.unspend?.(exchange);
    throw error;
  };
  const from = (index: number): void | Promise<void> => {
    for (let i = index; i < stages.length; i += 1) {
      const spent = stages[i]?.spend?.(exchange, cost);
      if (spent instanceof Promise) return spent.then(() => from(i + 1));
    }
  };
  try {
    const spent = from(0);
    return spent instanceof Promise ? spent.catch(giveBack) : spent;
  } catch (error) {
    giveBack(error);
  }
}
