import type { Lease } from '../lease.ts';
import type { AskedUpgrade } from '../transport/http1/parsed-answer.ts';
import type { CallPatience, OutboundMessage } from '../transport/http1/carried-call.ts';
import type { UpgradedSocket } from '../transport/http1/upgraded-socket.ts';

/** The protocol that a proxied request wants to go on with, and who goes on. */
export interface OutboundUpgrade extends AskedUpgrade {
  /** Takes the connection to the target, and the right to it, which is to be released when the connection ends. */
  switched(socket: UpgradedSocket, lease: Lease): void;
}

/** What an attempt sends, and how long it waits. */
export interface Sent {
  readonly message: OutboundMessage;
  readonly patience: CallPatience;
  readonly upgrade: OutboundUpgrade | undefined;
}
