import { z } from 'zod';
import { isSaneHost } from '../exchange/absolute-form.ts';
import { queryEditsSchema, replacePrefixSchema } from '../routing/rewrite.schema.ts';

const PARTS = ['scheme', 'host', 'port', 'path', 'replacePrefix'] as const;
const MAX_PORT = 65_535;

/** The `redirect:` section of a route. */
export const redirectSchema = z
  .strictObject({
    to: z
      .string()
      .optional()
      .describe(
        'Where to: https://new.example.com/{*}, or a path of this host; with {id} and {*} from the match, and {query.x}, {principal.id} and the like.',
      ),
    scheme: z
      .enum(['http', 'https'])
      .optional()
      .describe('In place of `to`: another scheme. Default that of the request.'),
    host: z
      .string()
      .refine((host) => isSaneHost(host) && !/:\d*$/.test(host), 'expected a host name without a port')
      .optional()
      .describe('In place of `to`: another host. Default that of the request.'),
    port: z
      .int()
      .min(1)
      .max(MAX_PORT)
      .optional()
      .describe('In place of `to`: another port. Default that of `scheme`, else that of the request.'),
    path: z
      .string()
      .optional()
      .describe('In place of `to`: another path, perhaps with a query, with {name} for values.'),
    replacePrefix: replacePrefixSchema.optional(),
    status: z
      .literal([301, 302, 303, 307, 308])
      .default(307)
      .describe(
        '301 and 308 are remembered by clients; 307 and 308 keep method and body, 303 asks with GET. Default 307.',
      ),
    query: z
      .union([z.enum(['keep', 'drop']), queryEditsSchema])
      .default('keep')
      .describe(
        'Whether the query of the request goes along, or how it changes; what `to` sets has the last word. Default keep.',
      ),
  })
  .superRefine((redirect, context) => {
    const given = PARTS.filter((part) => redirect[part] !== undefined);
    const refuse = (path: string[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    if (redirect.to === undefined && given.length === 0)
      refuse([], `expected \`to\`, or some of ${PARTS.join(', ')}: the request would come back as it was`);
    if (redirect.to !== undefined)
      for (const part of given) refuse([part], `expected no \`${part}\` beside \`to\`, which says it all`);
    if (redirect.path !== undefined && redirect.replacePrefix !== undefined)
      refuse(['replacePrefix'], 'expected either `path` or `replacePrefix`');
  })
  .describe('Sends clients elsewhere.');

/** The parsed `redirect:` of a route. */
export type RedirectOptions = z.output<typeof redirectSchema>;
