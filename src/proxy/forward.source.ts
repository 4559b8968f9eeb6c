import { z } from 'zod';
import { definitionOf } from '../routing/read-routes.ts';
import type { ActionDefinition, ActionSource } from '../routing/route-action.ts';
import { hostOption } from '../upstreams/http/proxy-fields.ts';

/** The `rewrite:` of a route. */
export const rewriteSchema = z
  .strictObject({
    stripPrefix: z.string().optional().describe('A literal prefix of the path to take away.'),
    path: z
      .string()
      .optional()
      .describe('Path and query for the upstream, with {name} and {*} from the match.'),
  })
  .refine(
    (one) => (one.stripPrefix === undefined) !== (one.path === undefined),
    'expected either stripPrefix or path',
  )
  .describe('How path and query change on the way.');

/** A route that is forwarded to its upstream, as data. */
export interface ForwardDefinition extends ActionDefinition {
  readonly kind: 'forward';
  readonly rewrite: z.output<typeof rewriteSchema> | undefined;
  /** What a prefix of every path becomes, in place of `rewrite`. */
  readonly prefix?: { readonly from: string; readonly to: string } | undefined;
  /** Absent: as the upstream says. */
  readonly host?: string | undefined;
}

/** Routes that have an `upstream` and nothing else to be answered by. */
export const forwardSource: ActionSource = {
  kind: 'forward',
  keys: { rewrite: rewriteSchema, host: hostOption },
  hasUpstream: true,
  alone: 'the upstream answers',
  read(reading) {
    const { rewrite, host } = reading.route as unknown as Pick<ForwardDefinition, 'rewrite' | 'host'>;
    const action: ForwardDefinition = { kind: 'forward', rewrite, host };
    return { definitions: [definitionOf(reading, action)], faults: [] };
  },
};
