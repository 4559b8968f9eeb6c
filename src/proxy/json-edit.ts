import type { Exchange } from '../exchange/exchange.ts';
import { parseWithNumbers } from '../policies/transform/maskable-body.ts';
import type { Route } from '../routing/route.ts';

/** Texts in which a number may not survive: many digits, or a large exponent. */
const RISKY_NUMBER = /[\d.]{16}|[\d.][eE][+-]?\d{3}/;

/** Parses JSON; a number that JavaScript cannot hold, such as a 64-bit id, is carried as its own text. */
export function parseExact(text: string): unknown {
  const value: unknown = RISKY_NUMBER.test(text) ? parseWithNumbers(text) : JSON.parse(text);
  return value;
}

/** What the stages of the way out make of a JSON value; undefined when none of them edits bodies. */
export function jsonEditOf(exchange: Exchange, { leaving }: Route): ((json: unknown) => unknown) | undefined {
  if (!leaving.some((stage) => stage.body !== undefined)) return undefined;
  return (json) =>
    leaving.reduce(
      (edited, stage) => (stage.body === undefined ? edited : stage.body(exchange, edited)),
      json,
    );
}

/** Whether what answers a route has made the edits of the body before it was text. */
export function isEditedAtSource({ aggregate, grpc }: Route): boolean {
  return aggregate !== undefined || (typeof grpc === 'object' && !grpc.answer.isRaw);
}
