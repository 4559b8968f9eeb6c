import { z } from 'zod';
import { compileRule } from '../../conditions/condition.ts';
import { TOKEN } from '../../config/field-name.ts';

const names = z.array(z.string().min(1)).min(1);

/** What is wrong with an expression that may name these path parameters; undefined for nothing. */
export function conditionFault(text: string, params: readonly string[]): string | undefined {
  try {
    compileRule(text, { params });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** An expression that is checked as far as it can be without a route. */
const expression = z.string().superRefine((text, context) => {
  try {
    compileRule(text, { args: 'any', parent: 'any' });
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
  }
});

const when = expression
  .describe(
    'A condition in CEL that has to hold, over principal, request, route, params, client and now; on fields of GraphQL args and parent too. What cannot be told is refused.',
  )
  .optional();

const needs = {
  anyRole: names.describe('The principal has at least one of these roles.').optional(),
  allRoles: names.describe('The principal has all of these roles.').optional(),
  anyPermission: names
    .describe('The principal has at least one of these permissions or OAuth scopes.')
    .optional(),
  allPermissions: names.describe('The principal has all of these permissions or OAuth scopes.').optional(),
  anyScope: names.describe('The token has at least one of these OAuth scopes.').optional(),
  allScopes: names.describe('The token has all of these OAuth scopes.').optional(),
};

const deny = z
  .strictObject({
    anyRole: names.describe('Who has one of these roles is refused.').optional(),
    anyPermission: names.describe('Who has one of these permissions or OAuth scopes is refused.').optional(),
    anyScope: names.describe('Whose token has one of these OAuth scopes is refused.').optional(),
    when: expression
      .describe('What this condition in CEL holds for is refused, and what it cannot be told for.')
      .optional(),
  })
  .refine((one) => Object.keys(one).length > 0, 'expected at least one condition');

const tenant = z.union([
  z.strictObject({ param: z.string().min(1).describe('Name of the path parameter.') }),
  z.strictObject({
    header: z
      .string()
      .regex(TOKEN, 'expected the name of a header field')
      .toLowerCase()
      .describe('Name of the header field.'),
  }),
]);

const conditions = {
  ...needs,
  deny: deny.optional().describe('Who is refused, whatever else holds.'),
  tenant: tenant
    .optional()
    .describe(
      'Where the request says which tenant it is about: only what the principal has there counts, its roles `<tenant>/<role>`, and all of it in its own tenant.',
    ),
  when,
  mode: z
    .enum(['enforce', 'shadow'])
    .optional()
    .describe(
      'What becomes of who lacks something: `enforce` refuses, `shadow` lets pass, and logs and counts it. Default enforce.',
    ),
};

const CONDITIONS = Object.keys(conditions).filter((key) => key !== 'mode' && key !== 'tenant');

function asksSomething(options: object): boolean {
  return CONDITIONS.some((key) => (options as Record<string, unknown>)[key] !== undefined);
}

const conditionsSchema = z.strictObject(conditions).refine(asksSomething, 'expected at least one condition');

/** What the policy may say. */
export type Conditions = z.output<typeof conditionsSchema>;

/** Conditions for some paths and methods, in place of those beside. */
export interface AccessRule extends Conditions {
  readonly path: string;
  readonly methods?: readonly string[] | undefined;
}

/** The options of the policy. */
export type AuthorizationOptions = Conditions & {
  /** Of the whole configuration, for a route that says nothing itself. */
  readonly access?: readonly AccessRule[] | undefined;
};

/** The schema of the policy. */
export const authorizationSchema = conditionsSchema
  .transform((options): AuthorizationOptions => options)
  .describe('What the principal needs to have.');

/** The schema of one entry of `access:`. */
export const accessRuleSchema = z
  .strictObject({
    path: z.string().describe('Path as routes write it: literal segments, {name}, `*` as the last one.'),
    methods: z
      .array(z.string().min(1).toUpperCase())
      .min(1)
      .optional()
      .describe('Methods; GET stands for HEAD too. Default all.'),
    ...conditions,
  })
  .refine(asksSomething, 'expected at least one condition');
