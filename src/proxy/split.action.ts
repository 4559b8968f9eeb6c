import type { AnswerSink } from '../exchange/answer-sink.ts';
import type { Exchange } from '../exchange/exchange.ts';
import { Problem } from '../problems/problem.ts';
import type { Foreseen } from '../routing/foreseen.ts';
import type { Elsewhere } from '../routing/route-action.ts';
import type { Route } from '../routing/route.ts';
import { SeveralAction, type SideAction } from './several.action.ts';
import { WeightedTurns } from './weighted-turns.ts';

/** One of those that share the requests of a route. */
export interface Share {
  readonly weight: number;
  /** Absent: what comes here is refused. */
  readonly action: SideAction | undefined;
}

/** A route whose requests are forwarded to one of several upstreams, each by itself. */
export class SplitAction extends SeveralAction {
  readonly target: string;
  readonly beside: readonly string[];
  readonly #first: SideAction;
  readonly #shares: readonly Share[];
  readonly #turns: WeightedTurns;

  /** @param shares the first of them is the upstream of the route. */
  constructor(first: SideAction, shares: readonly Share[], elsewhere: readonly Elsewhere[]) {
    super([first, ...shares.flatMap(({ action }) => action ?? [])], elsewhere);
    this.#first = first;
    this.#shares = shares;
    this.#turns = new WeightedTurns(shares.map(({ weight }) => weight));
    const said = shares.map(({ weight, action }) => `${action?.target ?? 'nobody'} ${weight}`);
    this.target = said.join(' | ');
    this.beside = first.beside ?? [];
  }

  answer(exchange: Exchange, route: Route, sink: AnswerSink): void {
    const action = this.#shares[this.#turns.next()]?.action;
    // Fails closed: a share that nobody is there for is not another one's.
    if (action === undefined) sink.fail(new Problem('upstream-missing'));
    else action.answer(exchange, route, sink);
  }

  foresee(exchange: Exchange, route: Route, body: Buffer | undefined): Foreseen | Promise<Foreseen> {
    return this.#first.foresee?.(exchange, route, body) ?? { requests: [] };
  }
}
