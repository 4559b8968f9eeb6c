import { METHODS } from 'node:http';
import { z } from 'zod';
import { compileNumber } from '../../conditions/condition.ts';
import { TOKEN } from '../../config/field-name.ts';
import { nearestName } from '../../config/nearest-name.ts';
import { size } from '../../config/units.ts';
import { celOf } from './limit-key.schema.ts';

const tokens = z.int().min(0).max(1e9);

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

/** What a request takes. */
export const limitCostSchema = z.union([
  z.int().min(1).max(1e9),
  z
    .strictObject({
      methods: z
        .record(method, tokens)
        .refine((methods) => Object.keys(methods).length > 0, 'expected a method')
        .describe('Tokens by method of the request; 0 for none.'),
      default: tokens.default(1).describe('Tokens of the other methods. Default 1.'),
    })
    .refine(
      ({ methods, default: other }) => other > 0 || Object.values(methods).some((cost) => cost > 0),
      'expected a method that costs something: such a limit counts nothing',
    ),
  z.strictObject({
    cel: celOf(compileNumber, 'An expression in CEL that says how many tokens. What cannot be told costs 1.'),
  }),
  z.strictObject({
    perBytes: size
      .refine((bytes) => bytes >= 1, 'expected at least 1 byte')
      .describe(
        'A token for each of so many bytes of the body that have begun, one at least. A body without a `Content-Length` takes all that there is.',
      ),
  }),
  z
    .strictObject({
      answerHeader: z
        .string()
        .regex(TOKEN, 'expected the name of a header field')
        .toLowerCase()
        .describe(
          'Header field of the answer in which the service says how many tokens the request was worth; clients do not see it.',
        ),
      ahead: z
        .int()
        .min(1)
        .max(1e9)
        .default(1)
        .describe('Tokens that are taken before that is known. Default 1.'),
      atMost: z
        .int()
        .min(1)
        .max(1e9)
        .optional()
        .describe('Most that a service can charge. Default: the burst.'),
    })
    .refine(({ ahead, atMost = Infinity }) => ahead <= atMost, {
      message: 'expected at least what is taken ahead',
      path: ['atMost'],
    }),
  z
    .literal('query')
    .describe(
      'The cost of an operation of GraphQL, as `graphql.cost` counts it, which has to be there; for what else inherits it 1.',
    ),
]);

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
