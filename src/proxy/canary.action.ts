import type { CanarySplit } from '../canary/canary-split.ts';
import type { AnswerSink } from '../exchange/answer-sink.ts';
import type { Exchange } from '../exchange/exchange.ts';
import type { Stage } from '../policies/stage.ts';
import type { Foreseen } from '../routing/foreseen.ts';
import type { Elsewhere, RouteAction } from '../routing/route-action.ts';
import type { Route } from '../routing/route.ts';
import { SeveralAction, type SideAction } from './several.action.ts';

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
  /** The upstream of the canary, where that is another one. */
  readonly elsewhere: readonly Elsewhere[];
}

/** A route whose requests are forwarded to one of two sides. */
export class CanaryAction extends SeveralAction {
  readonly target: string;
  readonly beside: readonly string[];
  readonly ownCookies: readonly string[];
  readonly #split: CanarySplit;
  readonly #sides: Sides;

  constructor(split: CanarySplit, sides: Sides) {
    const { stable, canary, rule, cookie, elsewhere } = sides;
    super([stable, canary, rule], elsewhere);
    this.#split = split;
    this.#sides = sides;
    this.ownCookies = cookie === undefined ? [] : [cookie];
    this.beside = [`canary ${sides.shown}`, ...(stable.beside ?? [])];
    const [one = '', other = ''] = [stable.target, canary.target];
    this.target = one === other ? `${one} | canary` : `${one} | ${other}`;
  }

  /** Caches tell the sides apart: nobody is answered with what the other side has said. */
  readonly asksBy = (exchange: Exchange): string => {
    const action = this.#of(exchange);
    return `${exchange.side?.name ?? ''} ${action.asksBy?.(exchange) ?? ''}`;
  };

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

  #of(exchange: Exchange): RouteAction {
    const { name, by } = this.#split.sideOf(exchange);
    if (name === 'stable') return this.#sides.stable;
    return by === 'rule' ? this.#sides.rule : this.#sides.canary;
  }
}
