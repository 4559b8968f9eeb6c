import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import { passes, type StageVerdict } from '../explained-stage.ts';
import type { Stage } from '../stage.ts';
import { bodyLimitPolicy } from './body-limit.policy.ts';

/** The largest body that the parsers of the code-first door take. */
export const HANDLER_BODY_LIMIT_BYTES = 2 ** 20;

/** Refuses a body whose declared length is over the limit, before a byte of it is read. */
class BodyLimitStage implements Stage {
  readonly #maxBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  enter({ request }: Exchange): void {
    const declared = request.headers['content-length'];
    if (declared !== undefined && Number(declared) > this.#maxBytes) throw new Problem('body-too-large');
  }

  explain(exchange: Exchange, body: Buffer | undefined): StageVerdict {
    this.enter(exchange);
    if (body !== undefined && body.length > this.#maxBytes) throw new Problem('body-too-large');
    return passes();
  }
}

/** Compiles the policy `bodyLimit`. A body without a declared length is counted by the proxy while it streams. */
export class BodyLimitStageFactory implements StageFactory {
  readonly policy = bodyLimitPolicy;

  compile({ door, policies: { bodyLimit } }: StageInput): Stage | undefined {
    if (bodyLimit === undefined) return undefined;
    if (door === 'handler' && bodyLimit > HANDLER_BODY_LIMIT_BYTES) {
      throw new Error('`bodyLimit` of a handler can only lower the 1MiB of its body parser');
    }
    return new BodyLimitStage(bodyLimit);
  }
}

/** Registers the policy in THE ORDER. */
export const bodyLimit = { policy: bodyLimitPolicy, factory: BodyLimitStageFactory };
