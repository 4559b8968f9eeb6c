import { z } from 'zod';
import { definePolicy } from '../policy.ts';

/** The credentials that this version can check. */
export const AUTHENTICATION_SCHEMES = ['jwt', 'apiKey'] as const;

/** Who may call the route: anybody, or only callers who prove who they are. */
export const authenticationPolicy = definePolicy({
  name: 'authentication',
  schema: z
    .union([
      z.literal('public').describe('Anybody may call; credentials are not looked at.'),
      z.strictObject({
        schemes: z
          .array(z.enum(AUTHENTICATION_SCHEMES))
          .min(1)
          .describe('The credentials that are accepted; the first one that the request carries is checked.'),
      }),
    ])
    .describe('Who may call the route. Every route needs it, from itself or from a default.'),
});

/** Says which credentials a controller or handler accepts. */
export const Authentication = authenticationPolicy.decorator;

/** Opens a controller or handler to everybody. */
export const Public = () => authenticationPolicy.decorator('public');
