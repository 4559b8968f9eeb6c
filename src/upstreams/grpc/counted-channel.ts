import {
  Client,
  compressionAlgorithms,
  credentials,
  type ChannelOptions,
  type ClientDuplexStream,
  type ClientUnaryCall,
} from '@grpc/grpc-js';
import type { Target } from '../target.ts';
import type { TargetTls } from '../transport/target-tls.ts';
import { TlsCredentials } from './tls-credentials.ts';

/** Options of every channel; exported for `docs/` and specs. */
export const CHANNEL_OPTIONS: ChannelOptions = {
  // A connection that died silently is noticed within 70 s even if no deadline says so. Servers close
  // connections that are pinged too often, so idle ones are left alone.
  'grpc.keepalive_time_ms': 60_000,
  'grpc.keepalive_timeout_ms': 10_000,
  'grpc.keepalive_permit_without_calls': 0,
  // The breaker decides how long a target is left alone; the channel's own pause (1 s to 2 min) would fail its probe.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
  // Without a service config, grpc-js repeats only what a server certainly has not processed, such as a call that
  // crossed its GOAWAY. All other retries are the run's: at another target, under a budget.
  'grpc.service_config_disable_resolution': 1,
  // A proxy named by the environment is for the way out, not for what is behind us.
  'grpc.enable_http_proxy': 0,
  // Closing a channel closes its connections: none is shared with another channel of the process.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_channelz': 0,
  'grpc.max_receive_message_length': 4 * 1024 * 1024,
};

/** A call of any kind. */
export type SurfaceCall = ClientUnaryCall | ClientDuplexStream<Buffer, Buffer>;

/** One channel, which is one connection, and how many calls are under way on it. */
export class CountedChannel {
  readonly client: Client;
  readonly #onIdle: (channel: CountedChannel) => void;
  readonly #idleMs: number;
  #underWay = 0;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(target: Target, idleMs: number, onIdle: (channel: CountedChannel) => void) {
    // A secure target has its TLS; only specs of balancing make one without, and it fails here instead of going in the clear.
    const security = target.secure
      ? new TlsCredentials(target.tls as TargetTls)
      : credentials.createInsecure();
    this.client = new Client(`dns:${target.host}`, security, optionsFor(target));
    this.#idleMs = idleMs;
    this.#onIdle = onIdle;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** Counts a call until its status, which comes once whatever ends it, and never in the turn that made it. */
  count(call: SurfaceCall): void {
    this.#underWay += 1;
    call.once('status', this.#ended);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.client.close();
  }

  // One for all calls. The timer is not stopped by the next call, only begun anew by the next end.
  readonly #ended = (): void => {
    this.#underWay -= 1;
    if (this.#underWay > 0) return;
    if (this.#timer === undefined) this.#timer = setTimeout(this.#idle, this.#idleMs).unref();
    else this.#timer.refresh();
  };

  readonly #idle = (): void => {
    if (this.#underWay === 0) this.#onIdle(this);
  };
}

function optionsFor({ compression }: Target): ChannelOptions {
  if (compression === 'none') return CHANNEL_OPTIONS;
  return { ...CHANNEL_OPTIONS, 'grpc.default_compression_algorithm': compressionAlgorithms[compression] };
}
