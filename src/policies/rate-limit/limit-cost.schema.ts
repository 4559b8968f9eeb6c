import { METHODS } from 'node:http';
import { z } from 'zod';
import { compileNumber } from '../../conditions/condition.ts';
import { TOKEN } from '../../config/field-name.ts';
import { nearestName } from '../../config/nearest-name.ts';
import { size } from '../../config/units.ts';
import type { IdleOptions, RouteKind } from '../policy-facts.ts';
import { celOf } from './limit-key.schema.ts';

/** What a cost is counted in, and how much of it there is. */
export interface CostWords {
  /** What one is called, in messages. */
  readonly unit: string;
  /** Most that a request may be said to cost. */
  readonly most: number;
  /** What holds all that there is. */
  readonly room: string;
}

/** A method that requests can have; Node's parsers know no others. */
const method = z
  .string()
  .superRefine((text, context) => {
    const name = text.toUpperCase();
    if (METHODS.includes(name)) return;
    const suggestion = nearestName(name, METHODS);
    context.addIssue({ code: 'custom', message: 'expected a method', params: { suggestion } });
  })
  .toUpperCase();

/** What a request takes of a limit; the same forms for whatever limits. */
export function costSchemaOf({ unit, most, room }: CostWords) {
  const units = unitsOf(unit);
  const count = z.int().min(0).max(most);
  return z.union([
    z.int().min(1).max(most),
    z
      .strictObject({
        methods: z
          .record(method, count)
          .refine((methods) => Object.keys(methods).length > 0, 'expected a method')
          .describe(`${units} by method of the request; 0 for none.`),
        default: count.default(1).describe(`${units} of the other methods. Default 1.`),
      })
      .refine(
        ({ methods, default: other }) => other > 0 || Object.values(methods).some((cost) => cost > 0),
        'expected a method that costs something: such a limit counts nothing',
      ),
    z.strictObject({
      cel: celOf(
        compileNumber,
        `An expression in CEL that says how many ${unit}s. What cannot be told costs 1.`,
      ),
    }),
    z.strictObject({
      perBytes: size
        .refine((bytes) => bytes >= 1, 'expected at least 1 byte')
        .describe(
          `A ${unit} for each of so many bytes of the body that have begun, one at least. A body without a \`Content-Length\` counts as the largest that \`bodyLimit\` of the route takes; where there is none, it takes all that there is.`,
        ),
    }),
    reportedSchemaOf({ unit, most, room }),
    z
      .literal('query')
      .describe(
        'The cost of an operation of GraphQL, as `graphql.cost` counts it, which has to be there; for what else inherits it 1.',
      ),
  ]);
}

/** A cost that the service tells with its answer. */
function reportedSchemaOf({ unit, most, room }: CostWords) {
  const units = unitsOf(unit);
  return z
    .strictObject({
      answerHeader: z
        .string()
        .regex(TOKEN, 'expected the name of a header field')
        .toLowerCase()
        .describe(
          `Header field of the answer in which the service says how many ${unit}s the request was worth; clients do not see it.`,
        ),
      ahead: z
        .int()
        .min(1)
        .max(most)
        .default(1)
        .describe(`${units} that are taken before that is known. Default 1.`),
      atMost: z
        .int()
        .min(1)
        .max(most)
        .optional()
        .describe(`Most that a service can charge. Default: ${room}.`),
    })
    .refine(({ ahead, atMost = Infinity }) => ahead <= atMost, {
      message: 'expected at least what is taken ahead',
      path: ['atMost'],
    });
}

function unitsOf(unit: string): string {
  return `${unit.charAt(0).toUpperCase()}${unit.slice(1)}s`;
}

/** What a request takes of a rate limit. */
export const limitCostSchema = costSchemaOf({ unit: 'token', most: 1e9, room: 'the burst' });

/** A parsed cost. */
export type LimitCost = z.output<typeof limitCostSchema>;

/** What is taken of every request alike, before anything else is known; 0 where each request has its own cost. */
export function fixedCost(cost: LimitCost): number {
  if (typeof cost === 'number') return cost;
  if (cost === 'query') return 1;
  return 'answerHeader' in cost ? cost.ahead : 0;
}

/** All numbers of tokens that a cost names for requests, by where they stand below it. */
export function namedCosts(cost: LimitCost): readonly (readonly [key: readonly string[], tokens: number])[] {
  if (typeof cost === 'number') return [[[], cost]];
  if (cost === 'query') return [];
  if ('answerHeader' in cost) return [[['ahead'], cost.ahead]];
  if (!('methods' in cost)) return [];
  const methods = Object.entries(cost.methods).map(
    ([name, tokens]) => [['methods', name], tokens] as [string[], number],
  );
  return [...methods, [['default'], cost.default]];
}

const BY_QUERY = 'operations of GraphQL have such a cost; it belongs to `graphql.policies`';
const NO_ANSWER = 'a field has no answer of a service that could say what it was worth';

/** What does nothing where no operations of GraphQL are answered, or nothing is answered at all. */
export function idleCost(
  rules: readonly { readonly cost: LimitCost }[],
  { kind, isGraphql = false }: RouteKind,
): IdleOptions | undefined {
  const isReported = ({ cost }: { readonly cost: LimitCost }): boolean =>
    typeof cost === 'object' && 'answerHeader' in cost;
  if (kind === 'field' && rules.some(isReported)) return { key: ['cost'], reason: NO_ANSWER };
  return !isGraphql && rules.some(({ cost }) => cost === 'query')
    ? { key: ['cost'], reason: BY_QUERY, isHarmless: true }
    : undefined;
}
