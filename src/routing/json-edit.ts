import type { Exchange } from '../exchange/exchange.ts';
import type { Route } from './route.ts';

/** What the stages of the way out make of a JSON value; undefined when none of them edits bodies. */
export function jsonEditOf(exchange: Exchange, { leaving }: Route): ((json: unknown) => unknown) | undefined {
  if (!leaving.some((stage) => stage.body !== undefined)) return undefined;
  return (json) =>
    leaving.reduce(
      (edited, stage) => (stage.body === undefined ? edited : stage.body(exchange, edited)),
      json,
    );
}
