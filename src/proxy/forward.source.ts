import type { z } from 'zod';
import { definitionOf } from '../routing/read-routes.ts';
import type { ActionDefinition, ActionSource } from '../routing/route-action.ts';
import { rewriteSchema } from '../routing/rewrite.schema.ts';
import { routeHostOption } from './outbound-host.ts';

/** A route that is forwarded to its upstream, as data. */
export interface ForwardDefinition extends ActionDefinition {
  readonly kind: 'forward';
  readonly rewrite: z.output<typeof rewriteSchema> | undefined;
  /** Absent: as the upstream says. */
  readonly host?: string | undefined;
}

/** Routes that have an `upstream` and nothing else to be answered by. */
export const forwardSource: ActionSource = {
  kind: 'forward',
  keys: { rewrite: rewriteSchema, host: routeHostOption },
  hasUpstream: true,
  alone: 'the upstream answers',
  read(reading) {
    const { rewrite, host } = reading.route as unknown as Pick<ForwardDefinition, 'rewrite' | 'host'>;
    const action: ForwardDefinition = { kind: 'forward', rewrite, host };
    return { definitions: [definitionOf(reading, action)], faults: [] };
  },
};
