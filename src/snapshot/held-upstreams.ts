import { Injectable } from '@nestjs/common';
import type { Exchange } from '../exchange/exchange.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { Upstreams } from '../upstreams/upstreams.ts';
import type { Snapshots } from './snapshots.ts';

/**
 * The upstreams of the snapshot of an exchange. They stand before there is a snapshot: what makes calls is needed to
 * compile the first one, and makes none before it.
 */
@Injectable()
export class HeldUpstreams extends Upstreams {
  #snapshots: Snapshots | undefined = undefined;

  /** Says whose they are. */
  are(snapshots: Snapshots): void {
    this.#snapshots = snapshots;
  }

  of(exchange: Exchange, name: string): Upstream {
    if (this.#snapshots === undefined) throw new Error('there is no snapshot yet');
    return this.#snapshots.for(exchange).upstreams.get(name);
  }
}
