import { z } from 'zod';
import { definePolicy } from '../policy.ts';

const names = z.array(z.string().min(1)).min(1);

/** What an authenticated principal needs to have. Every condition that is given must hold. */
export const authorizationPolicy = definePolicy({
  name: 'authorization',
  schema: z
    .strictObject({
      anyRole: names.describe('The principal has at least one of these roles.').optional(),
      allRoles: names.describe('The principal has all of these roles.').optional(),
      anyPermission: names
        .describe('The principal has at least one of these permissions or OAuth scopes.')
        .optional(),
      allPermissions: names
        .describe('The principal has all of these permissions or OAuth scopes.')
        .optional(),
    })
    .refine((options) => Object.keys(options).length > 0, 'expected at least one condition')
    .describe('What the principal needs to have.'),
  step: 'authorize',
  summary:
    'Says what the principal needs to have. Every condition that is given must hold; at least one must be given. A public route cannot have this policy, because nobody is known there.',
  // An operation meets it again, because its socket can outlive what it was opened with.
  per: 'operation',
  before: 'body',
  refusesWith: ['permission-denied'],
  describe: (options) =>
    Object.entries(options)
      .map(([kind, names]) => `${kind}(${(names ?? []).join(',')})`)
      .join(' '),
  onFields: 'all',
});

/** Says what a principal needs to have to call a controller or handler. */
export const Authorization = authorizationPolicy.decorator;

/** Short form: at least one of these roles. */
export const Roles = (...anyRole: string[]) => Authorization({ anyRole });

/** Short form: all of these permissions. */
export const Permissions = (...allPermissions: string[]) => Authorization({ allPermissions });
