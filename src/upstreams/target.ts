import type { Breaker } from '../policies/circuit-breaker/breaker.ts';
import type { AdaptiveLimit } from './adaptive/adaptive-limit.ts';
import { CallsUnderWay } from './balancing/calls-under-way.ts';
import type { PeakEwma } from './balancing/peak-ewma.ts';
import type { Http1Pool } from './transport/http1/http1-pool.ts';
import type { Http2Pool } from './transport/http2/http2-pool.ts';
import type { TargetTls } from './transport/target-tls.ts';
import type { TargetOptions } from './upstream.schema.ts';

/** What is known of a target besides what its calls have told the breaker: what probes say, and whether it is ejected. */
export interface TargetHealth {
  /** Whether it may be called, as far as that goes. */
  readonly available: boolean;
  /** Whether it wants to know how long calls wait for the first byte of their answers. Default false. */
  readonly isTimed?: boolean;
  /** Begins to work: the target is in force. Calling it again does nothing. */
  start?(): void;
  /** Ends that: nobody chooses the target any more. Calling it again does nothing. */
  end?(): void;
  /** Hears that an operator has taken the target out, or back. */
  withdrawn?(isOut: boolean): void;
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
  /** How many calls under way make it full. Default: any number does not. */
  readonly capacity?: number | undefined;
  /** How many may wait for an answer, by how long that takes. Default: any number. */
  readonly adaptive?: AdaptiveLimit | undefined;
}

/**
 * One address of an upstream: its configuration and the counters that all exchanges share. It outlives a reload that
 * does not change it: whoever may choose it holds it, and it ends after its last call once nobody does.
 */
export class Target {
  /** Changes whenever anything changes of any target that it is chosen by. */
  static tunings = 0;
  readonly origin: string;
  /** `host:port`, always with its port: the same for the same target in every process. */
  readonly address: string;
  /** `host:port`, for logs and metrics. */
  readonly host: string;
  readonly secure: boolean;
  /** The name that it has to be certified for; undefined for its host. */
  readonly serverName: string | undefined;
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
  /** How many calls under way make it full. */
  readonly capacity: number;
  /** How many calls may wait for an answer, by how long that takes; undefined for any number. */
  readonly adaptive: AdaptiveLimit | undefined;
  /** Calls under way. Written by leases only. */
  inFlight = 0;
  /** Its part of the traffic for the time being: its weight, or less while it starts slowly. Written by its pool only. */
  share: number;
  /** How long its answers take; only where somebody goes by that. */
  latency: PeakEwma | undefined = undefined;
  /** Those of its upstream, its own among them. Written by the upstream that it is made for, before its first call. */
  calls = new CallsUnderWay();
  /** Whether it ends once no call is under way. */
  isLeaving = false;
  #isWithdrawn = false;
  #weight: number;
  /** What an operator has ordered in its place. */
  #orderedWeight: number | undefined = undefined;
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
    this.serverName = options.serverName;
    this.address = /:\d+$/.test(host) ? host : `${host}:${this.secure ? 443 : 80}`;
    this.capacity = deps.capacity ?? Infinity;
    this.adaptive = deps.adaptive;
    this.share = options.weight;
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

  /** Whether it can be called now: healthy, its breaker not open, not full, and not taken out. */
  get available(): boolean {
    if (this.isFull || this.#isWithdrawn) return false;
    return this.health.available && (this.breaker === undefined || this.breaker.available);
  }

  /** Whether as many calls are under way as it takes. */
  get isFull(): boolean {
    return this.inFlight >= this.capacity || this.adaptive?.isFull === true;
  }

  /** Whether an operator has taken it out; nothing but an order brings it back, a panic neither. */
  get isWithdrawn(): boolean {
    return this.#isWithdrawn;
  }

  /** Its part of the traffic, once it has started. */
  get weight(): number {
    return this.#orderedWeight ?? this.#weight;
  }

  /** What the configuration, or what discovers it, says of that. */
  get configuredWeight(): number {
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
    Target.tunings += 1;
  }

  /** Takes it out, or back. Calls under way go on. */
  withdraw(isOut: boolean): void {
    this.#isWithdrawn = isOut;
    this.health.withdrawn?.(isOut);
  }

  /** Has it another weight; undefined for the configured one. */
  weigh(weight: number | undefined): void {
    if (this.#orderedWeight === weight) return;
    this.#orderedWeight = weight;
    Target.tunings += 1;
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
    this.health.end?.();
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
    this.health.end?.();
    this.breaker?.shutdown();
    this.http1?.close();
    this.http2?.close();
    this.http2Streams?.close();
    for (const listener of listeners) listener();
  }
}
