import type { OperationContract } from '../contracts/operation-contract.ts';
import type { AnswerSink } from '../exchange/answer-sink.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Seats } from '../policies/seats.ts';
import type { ContractInput, Elsewhere, RouteAction } from '../routing/route-action.ts';
import type { Route } from '../routing/route.ts';

/** What answers one side of a route. */
export type SideAction = RouteAction & Required<Pick<RouteAction, 'contract'>>;

/** A route each of whose requests is forwarded by one of several, of which the first stands for the route. */
export abstract class SeveralAction implements RouteAction {
  readonly kind = 'forward';
  readonly passesPath = true;
  readonly editsJson = false;
  readonly forwardsSockets: boolean;
  readonly elsewhere: readonly Elsewhere[];
  readonly copiedTo: RouteAction['copiedTo'];
  readonly #sides: readonly [SideAction, ...SideAction[]];

  constructor(sides: readonly [SideAction, ...SideAction[]], elsewhere: readonly Elsewhere[]) {
    this.#sides = sides;
    this.elsewhere = elsewhere;
    // All of them have the same one.
    this.copiedTo = sides[0].copiedTo;
    this.forwardsSockets = sides[0].forwardsSockets === true;
  }

  /** Fails closed: what one of them cannot give its due is refused for all. */
  check(seats: Seats): void {
    for (const side of this.#sides) side.check?.(seats);
  }

  contract(input: ContractInput): OperationContract {
    return this.#sides[0].contract(input);
  }

  abstract answer(exchange: Exchange, route: Route, sink: AnswerSink): void;
}
