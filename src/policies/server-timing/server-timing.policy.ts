import { z } from 'zod';
import { definePolicy } from '../policy.ts';

const some = z
  .strictObject({
    anyRole: z
      .array(z.string().min(1))
      .min(1)
      .max(50)
      .describe('The principal has at least one of these roles.')
      .optional(),
    when: z
      .string()
      .min(1)
      .describe(
        'A condition in CEL, over principal, request, route, params, client and now. What cannot be told does not hold.',
      )
      .optional(),
  })
  .refine(
    ({ anyRole, when }) => anyRole !== undefined || when !== undefined,
    'expected `anyRole`, `when`, or both',
  );

/** Tells some callers where the time of their requests goes. */
export const serverTimingPolicy = definePolicy({
  name: 'serverTiming',
  schema: z.strictObject({
    for: z
      .union([z.literal('loopback'), some])
      .describe(
        'Who may see it: `loopback`, whoever calls from the same machine; or { anyRole, when }, of which all that are given have to hold.',
      ),
  }),
  summary:
    'Tells callers who may see it where the time of a request went, in `Server-Timing` (W3C): reading it, each stage, waiting for a target, the upstream, and making the answer. On every answer, refusals included. Nobody else gets the field, and routes without the policy measure nothing.',
  per: 'connection',
  before: 'identity',
  refusesWith: [],
  answerFields: {
    'Server-Timing': { description: 'Where the time of the request went, for callers who may see it.' },
  },
  describe: ({ for: who }) =>
    who === 'loopback'
      ? 'loopback'
      : [
          ...(who.anyRole === undefined ? [] : [`anyRole(${who.anyRole.join(',')})`]),
          ...(who.when === undefined ? [] : [`when(${who.when.trim().replace(/\s+/g, ' ')})`]),
        ].join(' '),
});

/** What {@link serverTimingPolicy} takes. */
export type ServerTimingOptions = z.output<typeof serverTimingPolicy.schema>;

/** Tells some callers of a controller or handler where the time of their requests goes. */
export const ServerTiming = serverTimingPolicy.decorator;
