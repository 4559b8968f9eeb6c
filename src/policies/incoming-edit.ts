import type { Exchange } from '../exchange/exchange.ts';

/** An edit of the bodies of requests. */
export interface IncomingEdit {
  /** @throws {Problem} when what comes of it is too large. */
  readonly edit: (exchange: Exchange, value: unknown) => unknown;
  /** Largest body that is held for it, in bytes; decoded too. */
  readonly maxBytes: number;
  /** What becomes of a body that is no JSON or larger: it is refused, or passes as it is. */
  readonly onFault: 'fail' | 'pass';
}
