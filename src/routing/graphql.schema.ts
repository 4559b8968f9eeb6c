import { z } from 'zod';
import { duration, size, pageOrigin } from '../config/units.ts';

const count = z.int().min(1);

const limits = z
  .strictObject({
    body: size.optional().describe('Largest request body. Default 100KiB.'),
    tokens: count.optional().describe('Most lexical tokens of a document. Default 2000.'),
    depth: count.optional().describe('Deepest nesting of fields, fragments included. Default 12.'),
    fields: count.optional().describe('Most fields of an operation, fragments expanded. Default 1000.'),
    aliases: count.optional().describe('Most aliases of an operation, fragments expanded. Default 50.'),
    rootFields: count.optional().describe('Most fields at the root of an operation. Default 20.'),
    directives: count.optional().describe('Most directives in an operation. Default 50.'),
    operations: count.optional().describe('Most operations of a document. Default 10.'),
    valueDepth: count
      .optional()
      .describe('Deepest nesting of lists and objects in arguments and variables. Default 32.'),
    merges: count
      .optional()
      .describe('Most pairs of fields that meet at one place of the answer. Default 20000.'),
  })
  .describe('How large a document may be. Trusted documents are exempt, but for the body.');

const cost = z
  .strictObject({
    max: count.describe('Most that one operation may cost.'),
    mode: z
      .enum(['measure', 'enforce'])
      .default('enforce')
      .describe('`measure` only shows the cost in `extensions.cost`; `enforce` refuses above `max` too.'),
    listSize: count
      .default(10)
      .describe('Size of a list that neither declares one nor takes a slicing argument. Default 10.'),
  })
  .describe('What operations may cost: an object 1, a scalar 0, all in a list times its size.');

const trustedDocuments = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .describe(
        'A JSON file `{ "<sha256>": "<document>" }`, or a folder of .graphql files; read at the start.',
      ),
    only: z.boolean().default(false).describe('Whether all other documents are refused. Default false.'),
  })
  .describe('Documents that were checked in with the clients; known by the SHA-256 of their text.');

const subscriptions = z
  .strictObject({
    perSocket: count.optional().describe('Most operations at once on one socket or stream. Default 20.'),
    sockets: count
      .optional()
      .describe('Most sockets of known clients, and most streams, at once in this process. Default 10000.'),
    unidentified: z
      .strictObject({
        sockets: count.optional().describe('Most of them at once in this process. Default 1000.'),
        perAddress: count
          .optional()
          .describe(
            'Most of them at once from one address, and in a minute those that never say it. Default 100.',
          ),
      })
      .optional()
      .describe('Sockets of clients that have yet to say who they are; they do not count as `sockets`.'),
    messageSize: size.optional().describe('Largest message of a client. Default 64KiB.'),
    idle: duration.optional().describe('A socket without an operation ends after this. Default 1m.'),
    maxAge: duration.optional().describe('A socket ends after this, whatever it does. Default 1h.'),
    origins: z
      .array(pageOrigin)
      .optional()
      .describe(
        'Origins whose pages may open sockets without a credential; our own always may. Default none.',
      ),
  })
  .describe('Limits of subscriptions over WebSocket and Server-Sent Events.');

/** The options of the `graphql:` section, beside its policies. Absent ones keep the defaults of the door. */
export const graphqlOptionsSchema = z.strictObject({
  limits: limits.optional(),
  cost: cost.optional(),
  trustedDocuments: trustedDocuments.optional(),
  persistedQueries: z
    .boolean()
    .optional()
    .describe('Whether clients may send the hash of a document they sent before. Default true.'),
  denied: z
    .enum(['field', 'operation'])
    .optional()
    .describe('Whether a field that the caller may not see costs the field or the operation. Default field.'),
  plan: z
    .strictObject({
      anyRole: z
        .array(z.string().min(1))
        .min(1)
        .describe('Roles whose principals get `extensions.plan` when they ask for it.'),
    })
    .optional()
    .describe('Who may see how operations were executed: costs, and the calls really made. Default: nobody.'),
  metrics: z
    .strictObject({
      operations: z
        .int()
        .min(0)
        .optional()
        .describe('Most names of operations that are labels of metrics, besides trusted ones. Default 50.'),
    })
    .optional()
    .describe('Which operations the metrics tell apart.'),
  statusRules: z
    .enum(['audit', 'draft-2026'])
    .optional()
    .describe('HTTP statuses as the audits want them, or as the draft of 2026 does. Default audit.'),
  graphiql: z
    .boolean()
    .optional()
    .describe(
      'Whether a browser that opens /graphql sees GraphiQL. Default true; never with NODE_ENV=production.',
    ),
  subscriptions: subscriptions.optional(),
});

/** What the configuration says about the GraphQL door, beside its policies. */
export type GraphqlConfig = z.output<typeof graphqlOptionsSchema>;
