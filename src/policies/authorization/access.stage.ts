import { namedValues } from '../../conditions/path-params.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Principal } from '../../exchange/principal.ts';
import type { RoleBook } from '../../exchange/role-book.ts';
import { passes, type Judgement, type StageVerdict } from '../explained-stage.ts';
import type { PathMatcher, RequestPaths } from '../stage-factory.ts';
import type { Stage } from '../stage.ts';
import type { AuthorizeStage } from './authorization.stage.ts';

/** Conditions for some requests. */
export interface AccessEntry {
  readonly path: string;
  readonly methods: readonly string[] | undefined;
  readonly matcher: PathMatcher;
  /** Whether it takes every path of the route. */
  readonly isForAll: boolean;
  readonly stage: AuthorizeStage;
}

/**
 * Enters the stage of the most specific entry that fits a request; where none does, the usual one. Fails closed: where a
 * lenient server could read the path as one of another entry, that one has to let it pass too.
 */
export class AccessStage implements Stage {
  readonly #entries: readonly AccessEntry[];
  readonly #usual: AuthorizeStage | undefined;
  readonly #paths: RequestPaths;
  readonly #isFoldable: boolean;
  readonly #methods: readonly string[];

  /**
   * @param entries the most specific first.
   * @param methods of the route; empty for all.
   */
  constructor(
    entries: readonly AccessEntry[],
    usual: AuthorizeStage | undefined,
    paths: RequestPaths,
    methods: readonly string[],
  ) {
    this.#methods = methods;
    this.#entries = entries;
    this.#usual = usual;
    this.#paths = paths;
    this.#isFoldable = entries.some(({ matcher }) => matcher.isFoldable);
  }

  enter(exchange: Exchange): void {
    const { method, path } = exchange;
    const entry = this.#entryFor(method, path);
    this.#enter(exchange, entry, path);
    const folded = this.#paths.fold(path);
    if (folded === path && !this.#isFoldable) return;
    const other = this.#foldedFor(method, folded);
    if (other !== entry) this.#enter(exchange, other, folded);
  }

  explain(exchange: Exchange): StageVerdict {
    const { method, path } = exchange;
    const entry = this.#entryFor(method, path);
    const verdict = this.#explain(exchange, entry, path);
    const folded = this.#paths.fold(path);
    if (folded === path && !this.#isFoldable) return verdict;
    const other = this.#foldedFor(method, folded);
    if (other === entry) return verdict;
    // Both have to let it pass; what the other one leaves open is open.
    const more = this.#explain(exchange, other, folded);
    return more.does === 'passes' ? verdict : more;
  }

  judge(principal: Principal | undefined, roles: RoleBook): readonly Judgement[] {
    const { reached, isUsual } = this.#reached();
    const rules = reached.flatMap(({ path, methods, stage }) =>
      stage.judge(principal, roles).map((one): Judgement => ({ ...one, path, methods })),
    );
    if (!isUsual) return rules;
    return [...rules, ...(this.#usual?.judge(principal, roles) ?? [{ may: 'yes', why: '' } as const])];
  }

  /** Those that decide about some request, and whether they leave any to the usual one. */
  #reached(): { readonly reached: readonly AccessEntry[]; readonly isUsual: boolean } {
    // Methods of which earlier entries take every request; `undefined` stands for all.
    const taken = new Set<string | undefined>();
    const isLeft = (methods: readonly string[] | undefined): boolean => {
      if (taken.has(undefined)) return false;
      const asked = methods ?? (this.#methods.length === 0 ? undefined : this.#methods);
      return asked?.every((one) => isTaken(one, taken)) !== true;
    };
    const reached = this.#entries.filter(({ methods, isForAll }) => {
      const isOne = isLeft(methods);
      if (isForAll) for (const method of methods ?? [undefined]) taken.add(method);
      return isOne;
    });
    return { reached, isUsual: isLeft(undefined) };
  }

  #explain(exchange: Exchange, entry: AccessEntry | undefined, path: string): StageVerdict {
    if (entry === undefined) return this.#usual?.explain(exchange) ?? passes({}, 'no entry of `access` fits');
    const verdict = entry.stage.explainWith(exchange, paramsIn(entry.matcher, path));
    return { ...verdict, facts: { entry: entry.path, ...verdict.facts } };
  }

  #entryFor(method: string, path: string): AccessEntry | undefined {
    for (const entry of this.#entries)
      if (isFor(entry.methods, method) && entry.matcher.takes(path)) return entry;
    return undefined;
  }

  #foldedFor(method: string, folded: string): AccessEntry | undefined {
    for (const entry of this.#entries)
      if (isFor(entry.methods, method) && entry.matcher.takesFolded(folded)) return entry;
    return undefined;
  }

  #enter(exchange: Exchange, entry: AccessEntry | undefined, path: string): void {
    if (entry === undefined) this.#usual?.enter(exchange);
    else if (!entry.stage.readsParams) entry.stage.enter(exchange);
    else entry.stage.enterWith(exchange, paramsIn(entry.matcher, path));
  }
}

function paramsIn(matcher: PathMatcher, path: string): () => ReadonlyMap<string, string> {
  return () => namedValues(matcher.parameters, matcher.valuesIn(path));
}

function isTaken(method: string, taken: ReadonlySet<string | undefined>): boolean {
  return taken.has(method) || (method === 'HEAD' && taken.has('GET'));
}

function isFor(methods: readonly string[] | undefined, method: string): boolean {
  return methods === undefined || methods.includes(method) || (method === 'HEAD' && methods.includes('GET'));
}
