import { httpFault, speaksAgainst, verdictOf } from '../../upstreams/http/http-faults.ts';
import type { Lease } from '../../upstreams/lease.ts';
import type { AnswerHead } from '../../upstreams/transport/http1/answer-head.ts';
import type {
  CallCarrier,
  CallPatience,
  CarriedCall,
  OutboundMessage,
} from '../../upstreams/transport/http1/carried-call.ts';
import type { HeardAnswer } from './heard-answer.ts';

/** What a mirrored call is made with. */
export interface MirrorCallOptions {
  readonly message: OutboundMessage;
  readonly patience: CallPatience;
  readonly isHeadOnly: boolean;
  readonly lease: Lease;
  /** Largest body of its answer. */
  readonly maxBytes: number;
  /** What keeps the answer; undefined: nobody does. */
  readonly answer: HeardAnswer | undefined;
  /** Hears once how it ended, unless it was abandoned. */
  readonly ended: (outcome: string, isWhole: boolean) => void;
}

/** One mirrored request: its answer is read, and thrown away. */
export class MirrorCall implements CarriedCall {
  readonly message: OutboundMessage;
  readonly patience: CallPatience;
  readonly isHeadOnly: boolean;
  carrier: CallCarrier | undefined = undefined;
  wasSent = false;
  isUnwanted = false;
  readonly #options: MirrorCallOptions;
  #status = 0;
  #bytes = 0;

  constructor(options: MirrorCallOptions) {
    this.#options = options;
    this.message = options.message;
    this.patience = options.patience;
    this.isHeadOnly = options.isHeadOnly;
  }

  /** Ends it; nobody hears of it any more. Says nothing about the target. */
  abandon(): void {
    if (this.isUnwanted) return;
    this.isUnwanted = true;
    const { carrier } = this;
    this.carrier = undefined;
    carrier?.forget(this);
    this.#options.lease.release('neutral');
  }

  head(head: AnswerHead): void {
    if (this.isUnwanted) return;
    this.#status = head.status;
    if (speaksAgainst(head.status)) this.#options.lease.settle('failure');
    else this.#options.lease.opened();
    this.#options.answer?.begin(head.status, head.fields());
  }

  piece(bytes: Buffer, isLast: boolean): void {
    if (this.isUnwanted) return;
    this.#bytes += bytes.length;
    const { maxBytes, answer, lease, ended } = this.#options;
    if (this.#bytes > maxBytes) {
      this.abandon();
      return ended('answer-too-large', false);
    }
    answer?.data(bytes);
    if (!isLast) return;
    this.isUnwanted = true;
    lease.release('success');
    ended(`${Math.floor(this.#status / 100)}xx`, true);
  }

  progress(): void {
    // Nobody waits for a part of it.
  }

  broke(error: Error): void {
    if (this.isUnwanted) return;
    this.isUnwanted = true;
    const { lease, ended } = this.#options;
    const fault = httpFault(error);
    lease.release(verdictOf(fault));
    ended(fault.outcome, false);
  }
}
