import type { IncomingHttpHeaders } from 'node:http';
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

/** A question to a service that speaks Envoy's external authorization protocol. */
export interface CheckQuestion {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly scheme: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The address of the client, and who it is; empty for nobody. */
  readonly address: string;
  readonly principal: string;
  readonly context: Readonly<Record<string, string>>;
}

/** What it says. */
export interface CheckAnswer {
  readonly allowed: boolean;
  /** What a client is told that is refused; 0 for nothing in particular. */
  readonly status: number;
  /** Flat list of header fields, for the service behind or for the client, as they came. */
  readonly fields: readonly string[];
  readonly body: string;
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
    question: CheckQuestion,
    timeoutMs: number,
  ): Promise<CheckAnswer>;
}

/** Injection token of {@link Outside}; bound once, in `pipeline/`. */
export const OUTSIDE = Symbol('OUTSIDE');
