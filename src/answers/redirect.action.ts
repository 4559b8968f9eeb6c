import { Injectable } from '@nestjs/common';
import type { OperationContract } from '../contracts/operation-contract.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { definitionOf } from '../routing/read-routes.ts';
import { toProblem } from '../problems/render-problem.ts';
import { below } from '../routing/below.ts';
import type { Foreseen } from '../routing/foreseen.ts';
import type {
  ActionDefinition,
  ActionInput,
  ActionKind,
  ActionSource,
  RouteAction,
} from '../routing/route-action.ts';
import type { Route } from '../routing/route.ts';
import type { AnswerSink } from '../exchange/answer-sink.ts';
import { compileLocation, type Location } from './location.ts';
import { redirectSchema, type RedirectOptions } from './redirect.schema.ts';

interface RedirectDefinition extends ActionDefinition, RedirectOptions {
  readonly kind: 'redirect';
}

const redirectSource: ActionSource = {
  kind: 'redirect',
  key: 'redirect',
  keys: { redirect: redirectSchema },
  hasUpstream: false,
  alone: 'nobody else is asked',
  read(reading) {
    const options = reading.route['redirect'] as RedirectOptions;
    const action: RedirectDefinition = { kind: 'redirect', ...options };
    return { definitions: [definitionOf(reading, action)], faults: [] };
  },
};

/** Routes that send their clients elsewhere (RFC 9110 section 15.4). */
@Injectable()
export class RedirectKind implements ActionKind {
  static readonly source = redirectSource;
  readonly source = redirectSource;

  compile(definition: RedirectDefinition, { pattern }: ActionInput): RouteAction {
    const location = below(['redirect'], () => compileLocation(definition, pattern));
    return new RedirectAction(definition, location);
  }
}

class RedirectAction implements RouteAction {
  readonly kind = 'redirect';
  readonly target: string;
  readonly asksBy: RouteAction['asksBy'];
  readonly #location: Location;
  readonly #status: number;

  constructor({ status }: RedirectDefinition, location: Location) {
    this.target = `${status} ${location.shown}`;
    this.asksBy = location.isTelling ? location.of : undefined;
    this.#location = location;
    this.#status = status;
  }

  answer(exchange: Exchange, _route: Route, sink: AnswerSink): void {
    let location: string;
    try {
      location = this.#location.of(exchange);
    } catch (error) {
      return sink.fail(toProblem(error));
    }
    sink.start(this.#status, ['location', location, 'content-length', '0']);
    sink.end();
  }

  foresee(exchange: Exchange): Foreseen {
    return { answer: `${this.#status} to ${this.#location.of(exchange)}`, requests: [] };
  }

  contract(): OperationContract {
    const location = {
      description: 'Where to go.',
      schema: { type: 'string', format: 'uri-reference' },
    } as const;
    const answer = { description: 'It is elsewhere.', headers: { Location: location } };
    return { parameters: [], answers: { [this.#status]: answer }, problems: [] };
  }
}
