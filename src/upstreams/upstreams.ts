import type { Exchange } from '../exchange/exchange.ts';
import type { Upstream } from './upstream.ts';

/** Knows the upstreams of an exchange: those of the configuration under which it began, whatever holds by now. */
export abstract class Upstreams {
  /** @throws {Error} when there is no upstream of that name; whoever may ask was checked before. */
  abstract of(exchange: Exchange, name: string): Upstream;
}
