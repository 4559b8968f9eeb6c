import { definePolicy } from '../policy.ts';
import { authenticationSchema } from './requirement.schema.ts';
import { alternativesOf } from './requirement.ts';

/** Who may call the route: anybody, or only callers who prove who they are. */
export const authenticationPolicy = definePolicy({
  name: 'authentication',
  schema: authenticationSchema,
  step: 'identify',
  summary:
    'Says who may call a route: everybody, or callers who prove who they are. Every route needs this policy, from itself or from a default; one without it does not boot. Of the accepted schemes, the first whose credential the request carries is checked, and its answer stands: a bad credential is refused, never skipped.',
  per: 'connection',
  before: 'body',
  refusesWith: [
    'credentials-missing',
    'credentials-invalid',
    'credentials-expired',
    'credentials-revoked',
    'too-many-attempts',
    'identity-unavailable',
    'permission-denied',
    'address-denied',
  ],
  describe: (options) =>
    options === 'public'
      ? options
      : alternativesOf(options)
          .map((all) => all.join('+'))
          .join(',') + (options.optional === true ? '?' : ''),
  onFields: 'all',
});

/** Says which credentials a controller or handler accepts. */
export const Authentication = authenticationPolicy.decorator;

/** Opens a controller or handler to everybody. */
export const Public = () => authenticationPolicy.decorator('public');
