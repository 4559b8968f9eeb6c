import { z } from 'zod';
import { NO_ROLES, RoleBook, RoleCycle, type RoleDefinition } from '../exchange/role-book.ts';
import { identitySchema, type IdentityOptions } from '../policies/authentication/identity.schema.ts';

const names = z.array(z.string().min(1)).default([]);

/** The `identity.roles` section: what roles mean. */
export const rolesSchema = z
  .record(
    z.string().min(1),
    z.strictObject({
      includes: names.describe('Roles that whoever has this one has too. Default none.'),
      permissions: names.describe(
        'Permissions of whoever has it; a segment `*` stands for one, as the last one for one or more. Default none.',
      ),
      deny: names.describe(
        'Permissions that whoever has it does not have, whatever else says so. Default none.',
      ),
    }),
  )
  .superRefine((roles, context) => {
    try {
      void new RoleBook(roles);
    } catch (error) {
      if (!(error instanceof RoleCycle)) throw error;
      context.addIssue({ code: 'custom', path: [error.role, 'includes'], message: error.message });
    }
  })
  .describe('What roles mean, by name. One that is not here is a role that includes nothing.');

type Roles = Readonly<Record<string, RoleDefinition>>;

const books = new WeakMap<Roles, RoleBook>();

/** The roles of a configuration; the same for the same section, so that what is known of callers is kept. */
export function rolesOf(identity: { readonly roles: Roles } | undefined): RoleBook {
  if (identity === undefined || Object.keys(identity.roles).length === 0) return NO_ROLES;
  let book = books.get(identity.roles);
  if (book === undefined) books.set(identity.roles, (book = new RoleBook(identity.roles)));
  return book;
}

/** What a configuration says about credentials; a change of what roles mean, or of who signs, is none of it. */
export function identityOf({
  identity,
}: {
  readonly identity?: (IdentityOptions & { readonly roles: Roles; readonly signing?: unknown }) | undefined;
}): IdentityOptions {
  if (identity === undefined) return identitySchema.parse({});
  const { roles: _roles, signing: _signing, ...options } = identity;
  return options;
}
