import type { BucketRule } from './rate-limiter.ts';
import { ruleOf, strictest, type LiveTiers, type RuleShape } from './tier-book.ts';
import type { TierLimit } from './tiers.schema.ts';

/** What live rules are made with. */
export interface LiveRulesDeps {
  readonly shape: RuleShape;
  /** The tiers of the file. */
  readonly tiers: Readonly<Record<string, TierLimit>>;
  /** Whether callers without a tier have a limit that the rule says. */
  readonly hasOwn: boolean;
  /** Hears of each rule that is made. */
  readonly onMade: (rule: BucketRule) => void;
}

/** The rules that limits of operators mean for one rule of a route: the same one for as long as they say the same. */
export class LiveRules {
  readonly #deps: LiveRulesDeps;
  readonly #known = new WeakMap<object, BucketRule>();

  constructor(deps: LiveRulesDeps) {
    this.#deps = deps;
  }

  /** The rule of a limit; undefined for `off`. */
  of(limit: TierLimit): BucketRule | undefined {
    if (limit === 'off') return undefined;
    const known = this.#known.get(limit);
    if (known !== undefined) return known;
    const made = ruleOf(limit, this.#deps.shape);
    if (made === undefined) return undefined;
    this.#deps.onMade(made);
    this.#known.set(limit, made);
    return made;
  }

  /** The limit of callers without a tier, where the rule says none: that of the strictest tier of the file, as it is now. */
  other(live: Pick<LiveTiers, 'limitOf'>): BucketRule | undefined {
    const { tiers, hasOwn } = this.#deps;
    if (hasOwn) return undefined;
    return strictest(Object.entries(tiers).map(([name, limit]) => this.of(live.limitOf(name) ?? limit)));
  }
}
