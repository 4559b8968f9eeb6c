import type { IncomingBody } from './outbound-body.ts';
import type { OutboundUpgrade } from './upgrade.ts';

/** What goes out for one exchange; the same for every attempt. */
export interface Outbound {
  /** Path and query. */
  readonly path: string;
  /** Flat list of names and values, without `Host`. */
  readonly headers: string[];
  /** What `Host` says; undefined for the host of the target. */
  readonly host: string | undefined;
  /** What it asks its connection to become. */
  readonly upgrade?: OutboundUpgrade | undefined;
  /** What the client sends, or null. */
  readonly body: IncomingBody | null;
}
