import { Client, credentials, type ChannelOptions } from '@grpc/grpc-js';
import type { Target } from '../target.ts';

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

/** The channels to the gRPC targets: one for each, opened by its first call. */
export class GrpcChannels {
  readonly #clients = new Map<Target, Client>();

  /** The channel of a target: `grpc://` in the clear, `grpcs://` over TLS with the system's authorities. */
  clientOf(target: Target): Client {
    let client = this.#clients.get(target);
    if (client === undefined) {
      const security = target.secure ? credentials.createSsl() : credentials.createInsecure();
      client = new Client(`dns:${target.host}`, security, CHANNEL_OPTIONS);
      this.#clients.set(target, client);
    }
    return client;
  }

  /** Closes all channels; calls under way are finished by their own deadlines. */
  close(): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }
}
