import type { Rewrite } from '../routing/rewrite.ts';
import type { OutboundHost } from './outbound-host.ts';

/** What a route says of how its requests go out. */
export interface ForwardWay {
  readonly rewrite: Rewrite | undefined;
  /** Undefined for the target's own. */
  readonly host: OutboundHost | undefined;
}
