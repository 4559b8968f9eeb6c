import { z } from 'zod';
import { priorityClass } from '../load-shedding/load-shedding.policy.ts';
import type { PriorityClass } from '../load-shedding/priority-class.ts';
import { definePolicy } from '../policy.ts';

const rule = z.strictObject({
  when: z
    .string()
    .min(1)
    .describe(
      'A condition in CEL, over principal, request, route, params, client and now. What cannot be told does not hold.',
    ),
  priority: priorityClass.describe('The class of requests for which it holds.'),
});

/** What a caller is worth while the gateway has too much to do. */
export const callerPriorityPolicy = definePolicy({
  name: 'callerPriority',
  schema: z
    .strictObject({
      rules: z
        .array(rule)
        .max(20)
        .default([])
        .describe('Conditions, of which the first that holds says the class. Default none.'),
      tiers: z
        .record(z.string().min(1), priorityClass)
        .default({})
        .describe('Class by the tier of the principal, where no condition holds. Default none.'),
    })
    .refine(
      ({ rules, tiers }) => rules.length > 0 || Object.keys(tiers).length > 0,
      'expected `tiers`, `rules`, or both',
    ),
  step: 'load',
  summary:
    'Says by who calls how much a request matters while the gateway has too much to do, in place of the class that `loadShedding` gives the route; who is neither of a tier nor fits a condition has that one. It is decided once it is known who calls, before any token of a limit is taken.',
  per: 'operation',
  before: 'body',
  refusesWith: ['load-shed'],
  describe: ({ rules, tiers }) =>
    [
      ...rules.map(({ when, priority }) => `when(${when}) ${priority}`),
      ...Object.entries(tiers).map(([tier, priority]) => `${tier} ${priority}`),
    ].join(', '),
});

/** The parsed options. */
export type CallerPriorityOptions = z.output<typeof callerPriorityPolicy.schema>;

/** The classes that callers of a route may have; none without the policy. */
export function classesOf(options: CallerPriorityOptions | undefined): readonly PriorityClass[] {
  if (options === undefined) return [];
  return [...options.rules.map(({ priority }) => priority), ...Object.values(options.tiers)];
}

/** Says by who calls how much a request of a controller or handler matters while the gateway has too much to do. */
export const CallerPriority = callerPriorityPolicy.decorator;
