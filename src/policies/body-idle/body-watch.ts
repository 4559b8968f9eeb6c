import type { IncomingMessage } from 'node:http';
import { awaitsBody } from '../../exchange/awaited-body.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';

/** How often a silence is looked at before it counts as too long. */
const LOOKS = 4;

/** How long a body may stand still. */
export interface BodyWatchLimits {
  /** While we wait for the client, in ms; `Infinity` for ever. */
  readonly idleMs: number;
  /** While the upstream takes nothing of what the client has sent, in ms; `Infinity` without an upstream. */
  readonly untakenMs: number;
}

/**
 * Watches a request body while it arrives, without a listener that would read it. Where nothing moves for too long the
 * exchange is cancelled: `request-timeout` when the client is silent, `upstream-timeout` when the target takes nothing.
 * The latter is also how a client that left is noticed: nobody reads its connection while the body is held back.
 * Bytes of an answer count as movement: who listens to a stream may have nothing to say. What nobody has begun to read
 * is a matter of the deadline.
 */
export class BodyWatch {
  readonly #exchange: Exchange;
  readonly #limits: BodyWatchLimits;
  readonly #everyMs: number;
  readonly #timer: NodeJS.Timeout;
  #moved = -1;
  #held = 0;
  #stillMs = 0;

  constructor(exchange: Exchange, limits: BodyWatchLimits) {
    this.#exchange = exchange;
    this.#limits = limits;
    this.#everyMs = Math.max(1, Math.floor(Math.min(limits.idleMs, limits.untakenMs) / LOOKS));
    this.#timer = setTimeout(look, this.#everyMs, this);
    exchange.onClosed(() => clearTimeout(this.#timer));
  }

  /** Looks whether something has moved since the last time. */
  look(): void {
    const { request } = this.#exchange;
    if (request.complete || request.destroyed) return;
    const { bytesRead, bytesWritten } = request.socket;
    const moved = bytesRead + bytesWritten;
    const isStill = moved === this.#moved && request.readableLength === this.#held;
    this.#moved = moved;
    this.#held = request.readableLength;
    this.#stillMs = isStill ? this.#stillMs + this.#everyMs : 0;
    if (!this.#ends(request)) this.#timer.refresh();
  }

  #ends(request: IncomingMessage): boolean {
    const { idleMs, untakenMs } = this.#limits;
    if (awaitsBody(request)) return this.#stillMs >= idleMs && this.#cancel(new Problem('request-timeout'));
    if (request.readableFlowing !== false || this.#stillMs < untakenMs) return false;
    return this.#cancel(new Problem('upstream-timeout'));
  }

  #cancel(problem: Problem): true {
    this.#exchange.cancel(problem);
    return true;
  }
}

function look(watch: BodyWatch): void {
  watch.look();
}
