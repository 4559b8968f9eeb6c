import { Injectable } from '@nestjs/common';
import type { z } from 'zod';
import { compileRule, type Rule } from '../../conditions/condition.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import { announcesBody } from '../../problems/render-problem.ts';
import { Metrics } from '../../telemetry/metrics.ts';
import { passes, type StageVerdict } from '../explained-stage.ts';
import { StageFault } from '../stage-fault.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import type { Stage } from '../stage.ts';
import { holdBody, parseHeld } from '../validation/held-body.ts';
import { bodyAuthorizationPolicy } from './body-authorization.policy.ts';

type Options = z.output<typeof bodyAuthorizationPolicy.schema>;

/** Kinds of routes whose requests have a body that can be held. */
const READING: ReadonlySet<string> = new Set(['forward', 'translate', 'handler']);

/** Looks at the body of each request. */
class BodyAuthorizationStage implements Stage {
  readonly holdsBody = true;
  readonly #rule: Rule;
  readonly #options: Options;
  readonly #input: StageInput;
  readonly #metrics: Metrics;

  constructor(options: Options, input: StageInput, metrics: Metrics) {
    this.#options = options;
    this.#input = input;
    this.#metrics = metrics;
    try {
      this.#rule = compileRule(options.when, { body: true, params: input.pathParameters });
    } catch (error) {
      throw new StageFault(['bodyAuthorization', 'when'], (error as Error).message);
    }
  }

  /** Whether it needs to be known who calls. */
  get asksWho(): boolean {
    return this.#rule.names.has('principal');
  }

  enter(exchange: Exchange): void | Promise<void> {
    if (!announcesBody(exchange.request)) return this.#decide(exchange, undefined);
    // Fastify has read it then.
    if (this.#input.door === 'handler') return this.#decide(exchange, exchange.heldBody);
    const { maxBody, mode } = this.#options;
    const holding = holdBody(exchange, { maxBytes: maxBody, passesLarger: mode === 'shadow' });
    return holding.then((held) => this.#decide(exchange, held));
  }

  explain(exchange: Exchange, body: Buffer | undefined): StageVerdict {
    const refused = this.#refusal(exchange, body);
    if (refused === undefined) return passes();
    if (this.#options.mode === 'enforce') throw refused;
    return passes({}, `in shadow: ${refused.by ?? refused.code} would refuse`);
  }

  #decide(exchange: Exchange, held: Buffer | undefined): void {
    const { mode } = this.#options;
    const refused = this.#refusal(exchange, held);
    if (refused === undefined) return;
    if (mode === 'enforce') throw refused;
    // Fails open, as it was asked for: nobody is refused by what is only tried out, and each one is told of.
    exchange.shadowDenied = refused.by ?? refused.code;
    this.#metrics.authorization.shadowDenied(this.#input.routeId, 'bodyAuthorization');
  }

  #refusal(exchange: Exchange, held: Buffer | undefined): Problem | undefined {
    const by = 'bodyAuthorization';
    try {
      if (held !== undefined && held.length > this.#options.maxBody)
        return new Problem('body-too-large', { by });
      const json = held === undefined ? undefined : parseHeld(exchange, held);
      // Fails closed: of a name that stands there twice two readers could take different values.
      if (json?.repeated !== undefined)
        return new Problem('permission-denied', { by: `${by}: a name stands twice` });
      if (this.#rule.holds(exchange, { body: json?.value })) return undefined;
    } catch (error) {
      if (error instanceof Problem) return error;
      // Fails closed: what cannot be told lets nobody in.
      return new Problem('permission-denied', { by: `${by}: cannot be told` });
    }
    return new Problem('permission-denied', { by });
  }
}

/** Compiles the `bodyAuthorization` policy. */
@Injectable()
export class BodyAuthorizationStageFactory implements StageFactory {
  readonly policy = bodyAuthorizationPolicy;

  constructor(private readonly metrics: Metrics) {}

  compile(input: StageInput): Stage | undefined {
    const { bodyAuthorization, authentication } = input.policies;
    if (bodyAuthorization === undefined) return undefined;
    const kind = input.door === 'handler' ? 'handler' : (input.action ?? 'forward');
    // What is no version of an API is refused by its action; what the versions take is theirs to say.
    if (kind === 'versions') return undefined;
    if (!READING.has(kind))
      throw new StageFault(['bodyAuthorization'], 'nobody reads the body of a request of such a route');
    const stage = new BodyAuthorizationStage(bodyAuthorization, input, this.metrics);
    if (authentication === 'public' && stage.asksWho)
      throw new StageFault(
        ['bodyAuthorization', 'when'],
        'needs to know who calls, but the route is public; remove one of the two',
      );
    return stage;
  }
}

/** Registers the policy in THE ORDER. */
export const bodyAuthorization = {
  policy: bodyAuthorizationPolicy,
  factory: BodyAuthorizationStageFactory,
};
