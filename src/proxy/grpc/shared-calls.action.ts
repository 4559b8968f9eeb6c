import type { AnswerSink } from '../../exchange/answer-sink.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import { Problem } from '../../problems/problem.ts';
import type { Foreseen } from '../../routing/foreseen.ts';
import type { Elsewhere, RouteAction } from '../../routing/route-action.ts';
import type { Route } from '../../routing/route.ts';
import { WeightedTurns } from '../weighted-turns.ts';

/** Who gets a share of the calls of a route. */
export interface CallShare {
  readonly weight: number;
  /** Absent: what comes here is refused. */
  readonly action: RouteAction | undefined;
}

/** A route whose calls are passed on to one of several upstreams, each call by itself. */
export class SharedCallsAction implements RouteAction {
  readonly kind = 'passGrpc';
  readonly passesPath = true;
  readonly isOpaque = true;
  readonly target: string;
  readonly elsewhere: readonly Elsewhere[];
  readonly #first: RouteAction;
  readonly #shares: readonly CallShare[];
  readonly #turns: WeightedTurns;

  /** @param others besides the upstream of the route. @param elsewhere where calls go in place of that one. */
  constructor(
    first: RouteAction,
    weight: number,
    others: readonly CallShare[],
    elsewhere: readonly Elsewhere[] = [],
  ) {
    this.#first = first;
    this.elsewhere = elsewhere;
    this.#shares = [{ weight, action: first }, ...others];
    this.#turns = new WeightedTurns(this.#shares.map((one) => one.weight));
    this.target = this.#shares.map((one) => `${one.action?.target ?? 'nobody'} ${one.weight}`).join(' | ');
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
