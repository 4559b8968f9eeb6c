import type { Exchange } from '../exchange/exchange.ts';

/** Adds an upstream to those the exchange has asked; each is named once. */
export function nameUpstream(exchange: Exchange, name: string): void {
  const { upstream } = exchange;
  if (upstream === undefined) exchange.upstream = name;
  else if (!isNamed(upstream, name)) exchange.upstream = `${upstream},${name}`;
}

function isNamed(names: string, name: string): boolean {
  // Most names are no part of another one, so that the list is seldom made.
  return names.includes(name) && (names === name || names.split(',').includes(name));
}
