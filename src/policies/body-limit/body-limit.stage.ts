import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { announcesBody } from '../../problems/render-problem.ts';
import type { Stage, StageFactory, StageInput } from '../stage.ts';
import { BodyWatch, type BodyWatchLimits } from './body-watch.ts';

/** The largest body that the parsers of the code-first door take. */
export const HANDLER_BODY_LIMIT_BYTES = 2 ** 20;

/** Refuses a body whose declared length is over the limit, before a byte of it is read, and watches any other arrive. */
class BodyLimitStage implements Stage {
  readonly name = 'size';
  readonly #maxBytes: number;
  readonly #limits: BodyWatchLimits | undefined;

  constructor(maxBytes: number, limits: BodyWatchLimits | undefined) {
    this.#maxBytes = maxBytes;
    this.#limits = limits;
  }

  enter(exchange: Exchange): void {
    const { request } = exchange;
    const declared = request.headers['content-length'];
    if (declared !== undefined && Number(declared) > this.#maxBytes) throw new Problem('body-too-large');
    if (this.#limits !== undefined && !request.complete && announcesBody(request))
      void new BodyWatch(exchange, this.#limits);
  }
}

/**
 * Compiles the policies `bodyLimit` and `bodyIdle`. A body without a declared length is counted by the proxy while it
 * streams.
 */
export class BodyLimitStageFactory implements StageFactory {
  readonly name = 'size';

  compile({ door, policies, upstreamIdleMs = Infinity }: StageInput): Stage | undefined {
    const { bodyLimit, bodyIdle } = policies;
    // Whether the target takes a body is watched also where its client may be silent.
    const limits = { idleMs: bodyIdle ?? Infinity, untakenMs: upstreamIdleMs };
    const isWatched = Math.min(limits.idleMs, limits.untakenMs) < Infinity;
    if (bodyLimit === undefined && !isWatched) return undefined;
    if (door === 'handler' && bodyLimit !== undefined && bodyLimit > HANDLER_BODY_LIMIT_BYTES) {
      throw new Error('`bodyLimit` of a handler can only lower the 1MiB of its body parser');
    }
    return new BodyLimitStage(bodyLimit ?? Infinity, isWatched ? limits : undefined);
  }
}
