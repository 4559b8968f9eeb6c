import type { Client } from '@grpc/grpc-js';
import type { Target } from '../target.ts';
import { CountedChannel, type SurfaceCall } from './counted-channel.ts';

/**
 * How many calls a channel gets before another one is opened: what most servers allow on one connection, and the least
 * that RFC 9113 section 6.5.2 recommends. What the peer really allows is in the settings of a session that grpc-js
 * keeps private: neither its channel nor channelz tells. Beyond a lower limit, calls wait in the session.
 */
export const CALLS_PER_CHANNEL = 100;

const IDLE_MS = 60_000;

/**
 * The channels to the gRPC targets. Each has one, opened by its first call, and further ones while those before it are
 * full; a further one on which nothing has been under way for a while is closed.
 */
export class GrpcChannels {
  readonly #channels = new Map<Target, CountedChannel[]>();
  readonly #idleMs: number;

  /** @param idleMs how long a further channel stays without a call. Default one minute. */
  constructor(idleMs = IDLE_MS) {
    this.#idleMs = idleMs;
  }

  /**
   * Makes a call to a target: `grpc://` in the clear, `grpcs://` over TLS. It goes over
   * the first channel that has room; when none has and there are `maxConnections`, over the least busy one.
   */
  call<Call extends SurfaceCall>(
    target: Target,
    maxConnections: number,
    start: (client: Client) => Call,
  ): Call {
    const channel = this.#channelFor(target, maxConnections);
    // Counted when it is made: what throws instead has no status.
    const call = start(channel.client);
    channel.count(call);
    return call;
  }

  /** Closes all channels; calls under way are finished by their own deadlines. */
  close(): void {
    for (const target of this.#channels.keys()) this.#closeAll(target);
  }

  #closeAll(target: Target): void {
    const channels = this.#channels.get(target) ?? [];
    this.#channels.delete(target);
    for (const channel of channels.splice(0)) channel.close();
  }

  #channelFor(target: Target, maxConnections: number): CountedChannel {
    let channels = this.#channels.get(target);
    if (channels === undefined) {
      this.#channels.set(target, (channels = []));
      target.onEnd(() => this.#closeAll(target));
    }
    let leastBusy: CountedChannel | undefined;
    // The first ones are filled first, so that the others fall idle.
    for (const channel of channels) {
      if (channel.underWay < CALLS_PER_CHANNEL) return channel;
      if (leastBusy === undefined || channel.underWay < leastBusy.underWay) leastBusy = channel;
    }
    if (leastBusy !== undefined && channels.length >= maxConnections) return leastBusy;
    return this.#open(target, channels);
  }

  #open(target: Target, channels: CountedChannel[]): CountedChannel {
    const opened = new CountedChannel(target, this.#idleMs, (idle) => {
      const index = channels.indexOf(idle);
      if (index <= 0) return;
      channels.splice(index, 1);
      idle.close();
    });
    channels.push(opened);
    return opened;
  }
}
