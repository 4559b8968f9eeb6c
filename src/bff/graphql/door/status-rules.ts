import type { GraphqlMediaType } from './accept.ts';

/**
 * How the attempt to answer an operation ended, as far as the HTTP status goes: `refused` is a document or
 * variables that do not fit, `unparsable` a document that is no GraphQL, `malformed` a request that is no request
 * of GraphQL, `broken` one that is not even JSON.
 */
export type Outcome = 'whole' | 'partial' | 'refused' | 'malformed' | 'unparsable' | 'broken';

const AUDIT: Readonly<Record<Outcome, number>> = {
  whole: 200,
  partial: 200,
  refused: 400,
  malformed: 400,
  unparsable: 400,
  broken: 400,
};

/** Data and errors together are 294; a document or variables that do not fit are 422, one that is no GraphQL 400. */
const DRAFT_2026: Readonly<Record<Outcome, number>> = {
  whole: 200,
  partial: 294,
  refused: 422,
  malformed: 422,
  unparsable: 400,
  broken: 400,
};
const BEFORE_GRAPHQL: ReadonlySet<Outcome> = new Set(['malformed', 'broken']);

/**
 * The status of an answer by GraphQL over HTTP: as the audits of 2023 check it, or as the draft of 2026 has it.
 * `application/json` promises 200 whenever GraphQL answered at all; only malformed requests are told otherwise.
 * Under the draft, errors without data come as the newer media type even then.
 */
export function statusOf(
  rules: 'audit' | 'draft-2026',
  outcome: Outcome,
  mediaType: GraphqlMediaType,
): number {
  const isLegacy = mediaType === 'application/json';
  if (rules === 'audit') return isLegacy && !BEFORE_GRAPHQL.has(outcome) ? 200 : AUDIT[outcome];
  return isLegacy && outcome === 'partial' ? 200 : DRAFT_2026[outcome];
}

/** The media type of an answer: under the draft, errors without data are always of the newer one. */
export function typeOf(
  rules: 'audit' | 'draft-2026',
  outcome: Outcome,
  mediaType: GraphqlMediaType,
): GraphqlMediaType {
  const hasData = outcome === 'whole' || outcome === 'partial';
  return rules === 'draft-2026' && !hasData ? 'application/graphql-response+json' : mediaType;
}
