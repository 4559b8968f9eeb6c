import { Problem } from '../../problems/problem.ts';
import { STORE_UNAVAILABLE } from '../../store/store-guard.ts';
import type { QuotaDeps } from './counting.stage.ts';
import type { QuotaOutcome } from './quota-counters.ts';
import type { QuotaCount, QuotaTerms } from './quota-count.ts';
import type { QuotaVerdict } from './quota-fields.ts';
import type { CompiledQuota } from './quota-plan.ts';
import { isHardRefusal, type QuotaVerdicts } from './quota-refusal.ts';
import type { Taken, Taking } from './quota-taking.ts';

/** Takes from quotas: in the store, and as each of them says while that does not answer. */
export class QuotaTakes {
  readonly #routeId: string;
  readonly #deps: QuotaDeps;

  constructor(routeId: string, deps: QuotaDeps) {
    this.#routeId = routeId;
    this.#deps = deps;
  }

  /** @throws {Problem} `quota-unavailable` where nobody counts, and a quota wants that. */
  take(taking: Taking): QuotaVerdicts | Promise<QuotaVerdicts> {
    const outcome = (this.#deps.store ?? this.#deps.local).take(taking.keys, taking.terms);
    if (!(outcome instanceof Promise)) return this.#settle(taking, outcome);
    return outcome.then((late) => this.#settle(taking, late));
  }

  /**
   * Charges what a request turned out to be worth beyond what it has taken, whether it is there or not, or gives back what was
   * too much. Nobody waits for it.
   */
  correct({ keys, terms, counts, units, plan }: Taken, i: number, worth: number): void {
    const more = worth - (units[i] as number);
    const count = counts[i];
    if (more === 0 || count === undefined) return;
    units[i] = worth;
    const [key, own] = [keys[i] as string, terms[i] as QuotaTerms];
    if (more < 0) return this.#back([key], [{ ...own, mode: 'back', cost: -more }], count.end);
    const charged = { ...own, mode: own.mode === 'shadow' ? own.mode : ('soft' as const), cost: more };
    const { store, local } = this.#deps;
    const outcome = (store ?? local).take([key], [charged]);
    if (store === undefined || plan.quotas[i]?.onStoreError !== 'local') return;
    void Promise.resolve(outcome).then((known) => {
      if (known !== STORE_UNAVAILABLE) return;
      const [alone] = local.take([key], [charged]).counts;
      if (alone !== undefined) store.owe(key, alone.start, more);
    });
  }

  /** Gives back all that a request has taken of some quotas. Nobody waits for it, and what gets lost stays counted. */
  giveBack({ keys, terms, counts, units }: Taken, from: (i: number) => boolean): void {
    units.forEach((cost, i) => {
      const count = counts[i];
      if (cost === 0 || count === undefined || !from(i)) return;
      units[i] = 0;
      this.#back([keys[i] as string], [{ ...(terms[i] as QuotaTerms), mode: 'back', cost }], count.end);
    });
  }

  #back(keys: readonly string[], terms: readonly QuotaTerms[], end: number): void {
    // Of a window that is over nothing is left that could be given back.
    if (Date.now() < end * 1000) void (this.#deps.store ?? this.#deps.local).take(keys, terms);
  }

  #settle(taking: Taking, outcome: QuotaOutcome): QuotaVerdicts {
    if (outcome === STORE_UNAVAILABLE) return this.#alone(taking);
    const { store, local } = this.#deps;
    if (store === undefined || outcome.isNoted === true) return outcome;
    const { keys, terms, plan } = taking;
    for (let i = 0; i < keys.length; i += 1)
      if (plan.quotas[i]?.onStoreError === 'local')
        local.learn(keys[i] as string, terms[i] as QuotaTerms, outcome.counts[i] as QuotaCount);
    return outcome;
  }

  /** What each quota says while the store does not answer. */
  #alone({ plan, keys, terms }: Taking): QuotaVerdicts {
    const { store, local, replicas } = this.#deps;
    for (const { onStoreError } of plan.quotas)
      this.#deps.decided(this.#routeId, `store-error-${onStoreError}`);
    const closed = plan.quotas.find((one) => one.onStoreError === 'closed' && one.terms.mode !== 'shadow');
    // Fails closed: the operator prefers no answer to one that is not counted.
    if (closed !== undefined) throw unavailable(closed);
    // Each process goes on from what it knows, with its part of what was left. What is open fails open: nobody counts, as the operator prefers.
    const counted = plan.quotas.flatMap(({ onStoreError }, i) => (onStoreError === 'local' ? [i] : []));
    const theirs = counted.map((i) => keys[i] as string);
    const { nowMs, counts } = local.take(
      theirs,
      counted.map((i, at) =>
        local.shareOf(theirs[at] as string, terms[i] as QuotaTerms, replicas?.count ?? 1),
      ),
    );
    const isRefused = counted.some((i, at) => isHardRefusal(terms[i], counts[at]));
    const verdicts: QuotaVerdict[] = plan.quotas.map(() => undefined);
    counted.forEach((i, at) => {
      const count = (verdicts[i] = counts[at]) as QuotaCount;
      const { mode, cost } = terms[i] as QuotaTerms;
      if (!isRefused && cost > 0 && (count.fits || mode === 'soft'))
        store?.owe(keys[i] as string, count.start, cost);
    });
    return { nowMs, counts: verdicts };
  }
}

function unavailable({ name }: CompiledQuota): Problem {
  return new Problem('quota-unavailable', { headers: { 'retry-after': '1' }, by: name });
}
