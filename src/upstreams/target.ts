import type { Dispatcher } from 'undici';
import type { Breaker, Outcome } from '../policies/circuit-breaker/breaker.ts';
import type { ConnectionSlots } from './connection-slots.ts';
import type { Http1Pool } from './http1/http1-pool.ts';
import type { Http2Pool } from './http2/http2-pool.ts';
import type { TargetOptions } from './upstream.schema.ts';

/**
 * One address of an upstream: its configuration and the counters that all exchanges share.
 * Owned by its upstream; lives as long as the snapshot.
 */
export class Target {
  readonly origin: string;
  /** `host:port`, for logs and metrics. */
  readonly host: string;
  readonly secure: boolean;
  readonly weight: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly breaker: Breaker | undefined;
  /** Connections of HTTP/1.1 for proxied requests, opened by the first one; undefined for a target of gRPC. */
  readonly pool: Dispatcher | undefined;
  /** Who may use them; undefined for a target of gRPC. */
  readonly slots: ConnectionSlots | undefined;
  /** Connections of HTTP/1.1 for calls, opened by the first one; undefined for a target of gRPC. */
  readonly http1: Http1Pool | undefined;
  /** Connections of HTTP/2 for unary calls of gRPC, opened by the first one; undefined for a target of HTTP. */
  readonly http2: Http2Pool | undefined;
  /** What messages to it are compressed with; only for gRPC. */
  readonly compression: 'none' | 'gzip';
  /** Calls under way. Written by leases only. */
  inFlight = 0;

  constructor(
    options: TargetOptions,
    parts: {
      breaker?: Breaker | undefined;
      pool?: Dispatcher | undefined;
      slots?: ConnectionSlots | undefined;
      http1?: Http1Pool | undefined;
      http2?: Http2Pool | undefined;
      compression?: 'none' | 'gzip';
    },
  ) {
    this.origin = options.url.replace(/\/$/, '');
    const [scheme = '', host = ''] = this.origin.split('://');
    this.host = host;
    this.secure = scheme.endsWith('s');
    this.weight = options.weight;
    this.labels = options.labels;
    this.breaker = parts.breaker;
    this.pool = parts.pool;
    this.slots = parts.slots;
    this.http1 = parts.http1;
    this.http2 = parts.http2;
    this.compression = parts.compression ?? 'none';
  }

  /** The one question the balancer asks. */
  get available(): boolean {
    return this.breaker === undefined || this.breaker.available;
  }
}

/** The right to make one call to one target; must be released exactly once. */
export class Lease {
  readonly target: Target;
  readonly #admission: 'refused' | 'ordinary' | 'probe';
  #settled = false;
  #released = false;
  #slots: ConnectionSlots | undefined = undefined;

  constructor(target: Target) {
    this.target = target;
    this.#admission = target.breaker?.admit() ?? 'ordinary';
    target.inFlight += 1;
  }

  /** Has a slot given back with the lease. */
  occupy(slots: ConnectionSlots | undefined): void {
    this.#slots = slots;
  }

  /** Tells the breaker what the call amounts to, while its answer still streams; later calls do nothing. */
  settle(outcome: Outcome): void {
    if (this.#settled) return;
    this.#settled = true;
    this.target.breaker?.settle(this.#admission, outcome);
  }

  /** Gives the right back with what became of the call, unless that is settled; later calls do nothing. */
  release(outcome: Outcome): void {
    if (this.#released) return;
    this.#released = true;
    this.target.inFlight -= 1;
    this.settle(outcome);
    this.#slots?.giveBack();
  }

  /** Gives the right back after an answer that began and then broke off: that speaks against the target as well. */
  releaseBroken(): void {
    if (this.#settled && !this.#released) this.target.breaker?.settle('ordinary', 'failure');
    this.release('failure');
  }
}
