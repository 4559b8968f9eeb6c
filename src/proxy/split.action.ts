import type { OperationContract } from '../contracts/operation-contract.ts';
import type { AnswerSink } from '../exchange/answer-sink.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Seats } from '../policies/seats.ts';
import { Problem } from '../problems/problem.ts';
import type { Foreseen } from '../routing/foreseen.ts';
import type { ContractInput, RouteAction } from '../routing/route-action.ts';
import type { Route } from '../routing/route.ts';
import type { SideAction } from './canary.action.ts';
import { WeightedTurns } from './weighted-turns.ts';

/** One of those that share the requests of a route. */
export interface Share {
  readonly weight: number;
  /** Absent: what comes here is refused. */
  readonly action: SideAction | undefined;
}

/** A route whose requests are forwarded to one of several upstreams, each by itself. */
export class SplitAction implements RouteAction {
  readonly kind = 'forward';
  readonly passesPath = true;
  readonly editsJson = false;
  readonly target: string;
  readonly beside: readonly string[];
  readonly forwardsSockets: boolean;
  readonly #first: SideAction;
  readonly #shares: readonly Share[];
  readonly #turns: WeightedTurns;

  /** @param shares the first of them is the upstream of the route. */
  constructor(first: SideAction, shares: readonly Share[]) {
    this.#first = first;
    this.#shares = shares;
    this.#turns = new WeightedTurns(shares.map(({ weight }) => weight));
    const said = shares.map(({ weight, action }) => `${action?.target ?? 'nobody'} ${weight}`);
    this.target = said.join(' | ');
    this.beside = first.beside ?? [];
    this.forwardsSockets = first.forwardsSockets === true;
  }

  check(seats: Seats): void {
    this.#first.check?.(seats);
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

  contract(input: ContractInput): OperationContract {
    return this.#first.contract(input);
  }
}
