import type { OperationContract } from '../contracts/operation-contract.ts';
import type { CanarySplit } from '../canary/canary-split.ts';
import type { AnswerSink } from '../exchange/answer-sink.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Seats } from '../policies/seats.ts';
import type { Stage } from '../policies/stage.ts';
import type { Foreseen } from '../routing/foreseen.ts';
import type { ContractInput, RouteAction } from '../routing/route-action.ts';
import type { Route } from '../routing/route.ts';

/** What answers one side of a route. */
export type SideAction = RouteAction & Required<Pick<RouteAction, 'contract'>>;

/** What answers each side of a route. */
export interface Sides {
  readonly stable: SideAction;
  readonly canary: SideAction;
  /** For those that a rule has sent to the canary: they are no sample. */
  readonly rule: SideAction;
  /** What a listing says of the canary: labels, or the name of an upstream. */
  readonly shown: string;
  /** Name of the cookie that keeps clients on their side. */
  readonly cookie: string | undefined;
}

/** A route whose requests are forwarded to one of two sides. */
export class CanaryAction implements RouteAction {
  readonly kind = 'forward';
  readonly passesPath = true;
  readonly editsJson = false;
  readonly target: string;
  readonly beside: readonly string[];
  readonly forwardsSockets: boolean;
  readonly ownCookies: readonly string[];
  readonly #split: CanarySplit;
  readonly #sides: Sides;

  constructor(split: CanarySplit, sides: Sides) {
    this.#split = split;
    this.#sides = sides;
    const { stable, canary, cookie } = sides;
    this.ownCookies = cookie === undefined ? [] : [cookie];
    this.forwardsSockets = stable.forwardsSockets === true;
    this.beside = [`canary ${sides.shown}`, ...(stable.beside ?? [])];
    const [one = '', other = ''] = [stable.target, canary.target];
    this.target = one === other ? `${one} | canary` : `${one} | ${other}`;
  }

  /** Caches tell the sides apart: nobody is answered with what the other side has said. */
  readonly asksBy = (exchange: Exchange): string => {
    const action = this.#of(exchange);
    return `${exchange.side?.name ?? ''} ${action.asksBy?.(exchange) ?? ''}`;
  };

  check(seats: Seats): void {
    this.#sides.stable.check?.(seats);
  }

  readonly stagesOf = (exchange: Exchange, route: Route): readonly Stage[] =>
    this.#sides.stable.stagesOf?.(exchange, route) ?? route.stages;

  answer(exchange: Exchange, route: Route, sink: AnswerSink): void {
    this.#of(exchange).answer(exchange, route, sink);
  }

  async foresee(exchange: Exchange, route: Route, body: Buffer | undefined): Promise<Foreseen> {
    const action = this.#of(exchange);
    const foreseen = (await action.foresee?.(exchange, route, body)) ?? { requests: [] };
    const { name } = this.#split.sideOf(exchange);
    const own = foreseen.requests[0]?.upstream;
    const all = exchange.snapshot?.upstreams.find(own?.name ?? '')?.targets ?? [];
    const others = all.filter((target) => own?.targets.includes(target) === false);
    return { ...foreseen, side: { name, why: this.#split.reasonFor(exchange), others } };
  }

  contract(input: ContractInput): OperationContract {
    return this.#sides.stable.contract(input);
  }

  #of(exchange: Exchange): RouteAction {
    const { name, by } = this.#split.sideOf(exchange);
    if (name === 'stable') return this.#sides.stable;
    return by === 'rule' ? this.#sides.rule : this.#sides.canary;
  }
}
