import { z } from 'zod';
import { definePolicy } from '../policy.ts';
import { PRIORITY_CLASSES } from './priority-class.ts';

/** A class in the configuration. */
export const priorityClass = z.enum(PRIORITY_CLASSES);

/** What a route is worth while the gateway has too much to do. */
export const loadSheddingPolicy = definePolicy({
  name: 'loadShedding',
  schema: z
    .union([
      priorityClass.transform((priority) => ({ priority })),
      z.strictObject({
        priority: priorityClass
          .default('normal')
          .describe('The class of the route: `low`, `normal`, `high`, or `critical`. Default normal.'),
      }),
    ])
    .describe('The class of the route, or an object with it.'),
  step: 'load',
  summary:
    'Refuses requests while the gateway itself has too much to do: by the delay of its event loop, or by its memory. The class of the route says who is refused first; it is decided before it is asked who calls, and before anything of a body is read. When that is so, `loadShedding` of the top level says.',
  per: 'operation',
  before: 'identity',
  refusesWith: ['load-shed'],
  refuses: ({ priority }) => (priority === 'critical' ? [] : ['load-shed']),
  describe: ({ priority }) => priority,
});

/** Says what a controller or handler is worth while the gateway has too much to do. */
export const LoadShedding = loadSheddingPolicy.decorator;
