import { credentialsOf, type Principal } from '../../exchange/principal.ts';
import type { AUTHENTICATION_SCHEMES, AuthenticationOptions } from './requirement.schema.ts';

/** A kind of credential that a route can ask for. */
export type SchemeName = (typeof AUTHENTICATION_SCHEMES)[number];

/** The credentials that a route asks for: one, any of several, or all of several. */
export type Requirement =
  | SchemeName
  | { readonly anyOf: readonly Requirement[] }
  | { readonly allOf: readonly Requirement[] };

/** What a route asks for that is not public. */
export type AskedFor = Exclude<AuthenticationOptions, 'public'>;

/** Reads a policy in any of its spellings. */
export function requirementOf({ schemes, anyOf, allOf }: AskedFor): Requirement {
  return allOf === undefined ? { anyOf: anyOf ?? schemes ?? [] } : { allOf };
}

/** The sets of credentials that each open the route: any one of the sets is enough, and all of a set is needed. */
export function alternativesOf(policy: AskedFor): readonly (readonly SchemeName[])[] {
  return alternatives(requirementOf(policy));
}

/** Every scheme that a policy names, once, in their order. */
export function schemesOf(policy: AskedFor): readonly SchemeName[] {
  return [...new Set(alternativesOf(policy).flat())];
}

/** Whether the credentials that a caller came with are what a policy asks for. */
export function isMetBy(policy: AskedFor, principal: Principal): boolean {
  const held: readonly string[] = credentialsOf(principal).map(({ scheme }) => scheme);
  return alternativesOf(policy).some((all) => all.every((scheme) => held.includes(scheme)));
}

/** A policy as people say it: `jwt or apiKey`. */
export function sayRequirement(policy: AskedFor): string {
  return alternativesOf(policy)
    .map((all) => all.join(' with '))
    .join(' or ');
}

function alternatives(requirement: Requirement): readonly (readonly SchemeName[])[] {
  if (typeof requirement === 'string') return [[requirement]];
  if ('anyOf' in requirement) return requirement.anyOf.flatMap(alternatives);
  return requirement.allOf
    .map(alternatives)
    .reduce((before, more) => before.flatMap((one) => more.map((other) => [...one, ...other])));
}
