import type { IncomingHttpHeaders } from 'node:http';
import type { AuthorizationCheck, AuthorizationVerdict } from '../../exchange/authorization-check.ts';
import type { Exchange } from '../../exchange/exchange.ts';

/** A question over HTTP. */
export interface OutsideRequest {
  readonly method: 'GET' | 'POST';
  /** Path and query, encoded. */
  readonly path: string;
  /** Flat list: name, value. */
  readonly fields: readonly string[];
  readonly body: string | undefined;
}

/** An answer, whatever its status below 500. */
export interface OutsideAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Asks services outside, which are upstreams of the configuration of the exchange. Rejects where nobody can be asked. */
export interface Outside {
  ask(
    exchange: Exchange,
    upstream: string,
    request: OutsideRequest,
    timeoutMs: number,
  ): Promise<OutsideAnswer>;
  check(
    exchange: Exchange,
    upstream: string,
    question: AuthorizationCheck,
    timeoutMs: number,
  ): Promise<AuthorizationVerdict>;
}

/** Injection token of {@link Outside}; bound once, in `pipeline/`. */
export const OUTSIDE = Symbol('OUTSIDE');
