import { buildSchema, findBreakingChanges, findDangerousChanges } from 'graphql';
import type { ContractChange } from './contract-change.ts';

/** A scalar of GraphQL itself that nothing uses any more; the break, if any, is where it was used. */
const UNUSED_SCALAR = 'Standard scalar ';

/**
 * What has changed for clients from one GraphQL schema to the next, both in the definition language.
 *
 * @throws {GraphQLError} for a text that is no schema.
 */
export function graphqlChanges(before: string, after: string): readonly ContractChange[] {
  const [old, now] = [buildSchema(before), buildSchema(after)];
  const found = [
    ...findBreakingChanges(old, now).map((one) => ({ ...one, breaks: true })),
    ...findDangerousChanges(old, now).map((one) => ({ ...one, breaks: false })),
  ];
  return found
    .filter(({ description }) => !description.startsWith(UNUSED_SCALAR))
    .map(({ type, description, breaks }) => {
      const [place = ''] = /^[A-Z]\w*(?:\.\w+)?(?= )/.exec(description) ?? [];
      return { contract: 'graphql' as const, kind: type, place, change: description, breaks };
    });
}
