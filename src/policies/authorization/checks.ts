import { compileRule, type ConditionShape, type Rule } from '../../conditions/condition.ts';
import type { Extras } from '../../conditions/cel-shapes.ts';
import type { Exchange } from '../../exchange/exchange.ts';
import type { Principal } from '../../exchange/principal.ts';
import type { Holdings, RoleBook } from '../../exchange/role-book.ts';
import { below } from '../below-stage.ts';
import { StageFault } from '../stage-fault.ts';
import type { Conditions } from './authorization.schema.ts';

/** One thing that is asked of a caller or a request, and its name for the access line. */
export interface Check {
  readonly by: string;
  /** The whole of it, for operators. */
  readonly says: string;
  /** The variables that its expression names, if it is one. */
  readonly names?: ReadonlySet<string> | undefined;
  /** Whether it needs to be known who calls. */
  readonly asksWho: boolean;
  /** Whether it speaks for the caller. @throws where it can say neither yes nor no. */
  readonly holds: (exchange: Exchange, holdings: Holdings, extras: Extras | undefined) => boolean;
  /** The same for a caller, whatever is asked; absent where it depends on that. */
  readonly holdsFor?:
    | ((principal: Principal | undefined, holdings: Holdings, roles: RoleBook) => boolean)
    | undefined;
  /** What a token with too little scope is answered with; undefined when another token could not help. */
  readonly lacking?: LackingScope | undefined;
}

/** How a token with too little scope is refused (RFC 6750 section 3.1). */
export interface LackingScope {
  /** The parameters of its challenge, after the name of the scheme. */
  readonly challenge: string;
  /** The same for whoever sees no header field, such as a client of GraphQL. */
  readonly extensions: Readonly<Record<string, string>>;
}

/** What a scope may be made of (RFC 6749 section 3.3); other permissions can be no scope. */
const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

function lackingOf(names: readonly string[]): LackingScope {
  const error = 'insufficient_scope';
  const challenge = `realm="gatehouse", error="${error}"`;
  if (!names.every((name) => SCOPE.test(name))) return { challenge, extensions: { error } };
  const scope = names.join(' ');
  return { challenge: `${challenge}, scope="${scope}"`, extensions: { error, scope } };
}

/**
 * What has to hold, in the order in which it is asked: who is refused comes first, whatever else holds.
 *
 * @throws {StageFault} for an expression that cannot be evaluated here.
 */
export function checksOf(options: Conditions, shape: ConditionShape): readonly Check[] {
  return [...denials(options, shape), ...needs(options), ...conditionOf(options, shape)];
}

function denials({ deny }: Conditions, shape: ConditionShape): readonly Check[] {
  if (deny === undefined) return [];
  const { anyRole, anyPermission, anyScope, when } = deny;
  const refuse = (kind: string, names: readonly string[] | undefined, has: Has): readonly Check[] =>
    names === undefined
      ? []
      : [check(`deny.${kind}`, names, (holdings) => !names.some((name) => has(holdings, name)))];
  const rule = when === undefined ? undefined : below(['deny'], () => ruleOf(when, shape));
  return [
    ...refuse('anyRole', anyRole, hasRole),
    ...refuse('anyPermission', anyPermission, permits),
    ...refuse('anyScope', anyScope, hasScope),
    // What cannot be told is thrown, and refused like what holds: fails closed.
    ...(rule === undefined ? [] : [ruleCheck('deny.when', rule, false)]),
  ];
}

function needs({
  anyRole,
  allRoles,
  anyPermission,
  allPermissions,
  anyScope,
  allScopes,
}: Conditions): readonly Check[] {
  const asks = (
    kind: string,
    names: readonly string[] | undefined,
    { takes, has, scopes }: { takes: 'some' | 'every'; has: Has; scopes?: readonly string[] | undefined },
  ): readonly Check[] =>
    names === undefined
      ? []
      : [check(kind, names, (holdings) => names[takes]((name) => has(holdings, name)), scopes)];
  // One is enough, and a list would ask for all of them.
  const one = (names: readonly string[] | undefined): readonly string[] | undefined => names?.slice(0, 1);
  const each = (names: readonly string[] | undefined): readonly string[] | undefined =>
    names && [...new Set(names)];
  return [
    ...asks('anyRole', anyRole, { takes: 'some', has: hasRole }),
    ...asks('allRoles', allRoles, { takes: 'every', has: hasRole }),
    ...asks('anyPermission', anyPermission, { takes: 'some', has: permits, scopes: one(anyPermission) }),
    ...asks('allPermissions', allPermissions, { takes: 'every', has: permits, scopes: each(allPermissions) }),
    ...asks('anyScope', anyScope, { takes: 'some', has: hasScope, scopes: one(anyScope) }),
    ...asks('allScopes', allScopes, { takes: 'every', has: hasScope, scopes: each(allScopes) }),
  ];
}

function conditionOf({ when }: Conditions, shape: ConditionShape): readonly Check[] {
  if (when === undefined) return [];
  return [ruleCheck('when', ruleOf(when, shape), true)];
}

function ruleCheck(kind: string, rule: Rule, wanted: boolean): Check {
  const { names, expression } = rule;
  const isOfCaller = [...names].every((name) => name === 'principal');
  return {
    by: kind,
    says: `${kind}(${expression.trim().replace(/\s+/g, ' ')})`,
    names,
    asksWho: names.has('principal'),
    holds: (exchange, _, extras) => rule.holds(exchange, extras) === wanted,
    holdsFor: isOfCaller ? (principal, _, roles) => rule.holdsFor(principal, roles) === wanted : undefined,
  };
}

type Has = (holdings: Holdings, name: string) => boolean;

const hasRole: Has = (holdings, name) => holdings.roles.has(name);
const permits: Has = (holdings, name) => holdings.permits(name);
const hasScope: Has = (holdings, name) => holdings.hasScope(name);

function check(
  kind: string,
  names: readonly string[],
  decide: (holdings: Holdings) => boolean,
  scopes?: readonly string[],
): Check {
  const lacking = scopes === undefined ? undefined : lackingOf(scopes);
  const by = `${kind}(${names.join(',')})`;
  return {
    by,
    says: by,
    asksWho: true,
    holds: (_, holdings) => decide(holdings),
    holdsFor: (_, holdings) => decide(holdings),
    lacking,
  };
}

function ruleOf(expression: string, shape: ConditionShape): Rule {
  try {
    return compileRule(expression, shape);
  } catch (error) {
    throw new StageFault(['when'], (error as Error).message);
  }
}
