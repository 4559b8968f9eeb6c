import type {} from './exchange-of.ts';
import type { Exchange } from './exchange.ts';
import type { FastifyReply, FastifyRequest, RequestPayload } from 'fastify';
import { BodyReader } from './body-reader.ts';
import { Pieces } from './pieces.ts';
import { announcesBody } from '../problems/render-problem.ts';

/** Pieces of at least this size go on as they are; smaller ones wait for others, up to it. */
const WORTH_KEEPING_BYTES = 16 * 1024;

/**
 * A hook that lets Fastify read bodies in pieces of some size. Its parsers keep each piece by itself until the body is
 * whole, which makes a body in tiny ones a hundred times as large.
 */
export function mergedBody(
  { raw, exchange }: FastifyRequest,
  _reply: FastifyReply,
  payload: RequestPayload,
  done: (error?: Error | null, payload?: RequestPayload) => void,
): void {
  if (payload !== raw || !announcesBody(raw)) return done(null, payload);
  done(null, exchange.route?.holdsBody === true ? new HeldBody(raw, exchange) : new MergedBody(raw));
}

class MergedBody extends BodyReader {
  readonly #pieces = new Pieces();

  protected override taken(chunk: Buffer): void {
    const isLarge = chunk.length >= WORTH_KEEPING_BYTES && this.#pieces.length === 0;
    if (isLarge) return this.hand(chunk);
    this.#pieces.push(chunk);
    if (this.#pieces.length >= WORTH_KEEPING_BYTES) this.hand(this.#pieces.take());
  }

  protected override finish(): void {
    if (this.#pieces.length > 0) this.push(this.#pieces.take());
  }
}

/** Also keeps all of it, for a stage that looks at it. The bound of the parser holds for both. */
class HeldBody extends MergedBody {
  readonly #whole = new Pieces();
  readonly #exchange: Exchange;

  constructor(raw: FastifyRequest['raw'], exchange: Exchange) {
    super(raw);
    this.#exchange = exchange;
  }

  protected override taken(chunk: Buffer): void {
    this.#whole.push(chunk);
    super.taken(chunk);
  }

  protected override finish(): void {
    this.#exchange.heldBody = this.#whole.take();
    super.finish();
  }
}
