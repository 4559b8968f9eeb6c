import { z } from 'zod';

const template = z.string();
const name = z
  .string()
  .min(1)
  .max(256)
  .refine((text) => text.isWellFormed(), 'expected the name of a parameter');
const MAX_EDITS = 64;
const few = <Value>(schema: z.ZodType<Readonly<Record<string, Value>>>) =>
  schema.refine((map) => Object.keys(map).length <= MAX_EDITS, `expected at most ${MAX_EDITS} parameters`);

/** Edits of a query; each name stands for every spelling that a server may take for it. */
export const queryEditsSchema = z
  .strictObject({
    set: few(z.record(name, template))
      .describe('Parameters to set, with {name} for values; those of that name are replaced.')
      .optional(),
    add: few(z.record(name, template))
      .describe('Parameters to add beside those of their names, with {name} for values.')
      .optional(),
    rename: few(z.record(name, name))
      .describe('New names by the names that parameters have; what had a new name is replaced.')
      .optional(),
    remove: z.array(name).max(MAX_EDITS).describe('Parameters to remove.').optional(),
  })
  .describe('How the query of the request changes.');

/** A prefix that another one takes the place of. */
export const replacePrefixSchema = z
  .union([
    z.string(),
    z.strictObject({
      from: z.string().describe('A literal prefix of the path.'),
      to: z.string().describe('What takes its place, with {name} for values.'),
    }),
  ])
  .describe(
    'What takes the place of all that `match.path` says before its `/*`, with {name} for values; or { from, to } for a literal part of it.',
  );

/** The `rewrite:` section of a route. */
export const rewriteSchema = z
  .strictObject({
    stripPrefix: z.string().optional().describe('A literal prefix of the path to take away.'),
    replacePrefix: replacePrefixSchema.optional(),
    path: z
      .string()
      .optional()
      .describe(
        'Path and query for the upstream, with {id} and {*} from the match, and {query.x}, {request.header.x}, {principal.id} and the like.',
      ),
    query: queryEditsSchema.optional(),
  })
  .refine((one) => Object.values(one).some((value) => value !== undefined), {
    error: 'expected one of stripPrefix, replacePrefix, path and query',
  })
  .refine(
    ({ stripPrefix, replacePrefix, path }) =>
      [stripPrefix, replacePrefix, path].filter((value) => value !== undefined).length <= 1,
    { error: 'expected one of stripPrefix, replacePrefix and path, not several' },
  )
  .describe('How path and query change on the way.');

/** The parsed `rewrite:` of a route. */
export type RewriteOptions = Partial<z.output<typeof rewriteSchema>>;

/** The parsed edits of a query. */
export type QueryEditOptions = z.output<typeof queryEditsSchema>;
