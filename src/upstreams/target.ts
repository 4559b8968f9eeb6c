import type { Breaker, Outcome } from '../policies/circuit-breaker/breaker.ts';
import type { Http1Pool } from './transport/http1/http1-pool.ts';
import type { Http2Pool } from './transport/http2/http2-pool.ts';
import type { TargetTls } from './transport/target-tls.ts';
import type { TargetOptions } from './upstream.schema.ts';

/** What is known of a target besides what its calls have told the breaker: what probes say, and whether it is ejected. */
export interface TargetHealth {
  /** Whether it may be called, as far as that goes. */
  readonly available: boolean;
}

const NO_DOUBT: TargetHealth = Object.freeze({ available: true });

/** What a target is made of, besides where it is. */
export interface TargetDeps {
  /** Default: always available. */
  readonly health?: TargetHealth | undefined;
  readonly breaker?: Breaker | undefined;
  readonly http1?: Http1Pool | undefined;
  readonly http2?: Http2Pool | undefined;
  readonly http2Streams?: Http2Pool | undefined;
  readonly compression?: 'none' | 'gzip';
  readonly tls?: TargetTls | undefined;
  /** See {@link Target.key}. Default empty. */
  readonly key?: string;
}

/**
 * One address of an upstream: its configuration and the counters that all exchanges share. It outlives a reload that
 * does not change it: whoever may choose it holds it, and it ends after its last call once nobody does.
 */
export class Target {
  readonly origin: string;
  /** `host:port`, for logs and metrics. */
  readonly host: string;
  readonly secure: boolean;
  /** How it is reached over TLS; undefined for one in the clear. */
  readonly tls: TargetTls | undefined;
  /** Equal for targets that may stand for each other with their connections, their breaker and their counters. */
  readonly key: string;
  readonly breaker: Breaker | undefined;
  readonly health: TargetHealth;
  /** Connections of HTTP/1.1, opened by the first one; undefined for a target of gRPC. */
  readonly http1: Http1Pool | undefined;
  /** Connections of HTTP/2 for unary calls of gRPC, opened by the first one; undefined for a target of HTTP. */
  readonly http2: Http2Pool | undefined;
  /** Connections of HTTP/2 for calls of gRPC that are passed on; undefined for a target of HTTP. */
  readonly http2Streams: Http2Pool | undefined;
  /** What messages to it are compressed with; only for gRPC. */
  readonly compression: 'none' | 'gzip';
  /** Calls under way. Written by leases only. */
  inFlight = 0;
  /** Whether it ends once no call is under way. */
  isLeaving = false;
  #weight: number;
  #labels: Readonly<Record<string, string>>;
  #zone: string | undefined;
  #priority: number;
  #holders = 0;
  #endListeners: (() => void)[] | undefined = [];

  constructor(options: TargetOptions, deps: TargetDeps) {
    this.origin = options.url.replace(/\/$/, '');
    const [scheme = '', host = ''] = this.origin.split('://');
    this.host = host;
    this.secure = scheme.endsWith('s');
    this.tls = deps.tls;
    this.key = deps.key ?? '';
    this.#weight = options.weight;
    this.#labels = options.labels;
    this.#zone = options.zone;
    this.#priority = options.priority;
    this.breaker = deps.breaker;
    this.health = deps.health ?? NO_DOUBT;
    this.http1 = deps.http1;
    this.http2 = deps.http2;
    this.http2Streams = deps.http2Streams;
    this.compression = deps.compression ?? 'none';
  }

  /** The one question the balancer asks. */
  get available(): boolean {
    return this.health.available && (this.breaker === undefined || this.breaker.available);
  }

  /** Its share of the traffic. */
  get weight(): number {
    return this.#weight;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.#labels;
  }

  /** Where it stands; undefined where nobody says. */
  get zone(): string | undefined {
    return this.#zone;
  }

  /** Those of the lowest are for use, others only while none of them is available. */
  get priority(): number {
    return this.#priority;
  }

  /** Takes over what may change without a new connection. */
  retune({ weight, labels, zone, priority }: TargetOptions): void {
    this.#weight = weight;
    this.#labels = labels;
    this.#zone = zone;
    this.#priority = priority;
  }

  /** Keeps it from ending until as many {@link release}. */
  hold(): void {
    this.#holders += 1;
  }

  /** Lets it go; when nobody holds it any more, it closes. */
  release(): void {
    this.#holders -= 1;
    if (this.#holders === 0) this.close();
  }

  /** Calls back once when everything has ended that belongs to it; at once if it has. */
  onEnd(listener: () => void): void {
    if (this.#endListeners === undefined) listener();
    else this.#endListeners.push(listener);
  }

  /** Ends everything that belongs to it, as soon as no call is under way. */
  close(): void {
    this.isLeaving = true;
    if (this.inFlight === 0) this.emptied();
  }

  /** Hears from the last lease that it is given back. */
  emptied(): void {
    // Not within: whoever gives a lease back is still busy with the connection.
    setImmediate(() => {
      if (this.inFlight === 0) void this.destroy();
    });
  }

  /** Ends everything that belongs to it; calls under way are cut. */
  async destroy(): Promise<void> {
    const listeners = this.#endListeners;
    if (listeners === undefined) return;
    this.#endListeners = undefined;
    this.isLeaving = true;
    this.breaker?.shutdown();
    this.http1?.close();
    this.http2?.close();
    this.http2Streams?.close();
    for (const listener of listeners) listener();
  }
}

/** Hears what becomes of calls, each one once, besides the target. */
export interface LeaseWatch {
  /** @param durationMs until the outcome was known. */
  settled(outcome: Outcome, durationMs: number): void;
  /** Hears that an answer that was taken for a success broke off. */
  broke(): void;
}

/** The right to make one call to one target; must be released exactly once. */
export class Lease {
  readonly target: Target;
  readonly #admission: 'refused' | 'ordinary' | 'probe';
  #settled = false;
  #released = false;
  #watch: LeaseWatch | undefined = undefined;
  #watchedAt = 0;

  constructor(target: Target) {
    this.target = target;
    this.#admission = target.breaker?.admit() ?? 'ordinary';
    target.inFlight += 1;
  }

  /** Has somebody hear what becomes of the call. */
  watchedBy(watch: LeaseWatch): void {
    this.#watch = watch;
    this.#watchedAt = performance.now();
  }

  /** Tells the breaker what the call amounts to, while its answer still streams; later calls do nothing. */
  settle(outcome: Outcome): void {
    if (this.#settled) return;
    this.#settled = true;
    this.target.breaker?.settle(this.#admission, outcome);
    this.#watch?.settled(outcome, performance.now() - this.#watchedAt);
  }

  /** Gives the right back with what became of the call, unless that is settled; later calls do nothing. */
  release(outcome: Outcome): void {
    if (this.#released) return;
    this.#released = true;
    this.target.inFlight -= 1;
    this.settle(outcome);
    if (this.target.isLeaving && this.target.inFlight === 0) this.target.emptied();
  }

  /** Gives the right back after an answer that began and then broke off: that speaks against the target as well. */
  releaseBroken(): void {
    if (this.#settled && !this.#released) {
      this.target.breaker?.settle('ordinary', 'failure');
      this.#watch?.broke();
    }
    this.release('failure');
  }
}
