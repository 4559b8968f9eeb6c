import { hash } from 'node:crypto';
import { permissionsOf, type PermissionSet } from './permission-set.ts';
import type { Principal } from './principal.ts';

/** What a role of the configuration means. */
export interface RoleDefinition {
  /** Roles that whoever has this one has too. */
  readonly includes: readonly string[];
  readonly permissions: readonly string[];
  /** Permissions that whoever has this one does not have, whatever else says so. */
  readonly deny: readonly string[];
}

/** What somebody was found to have: roles with those that they include, and permissions. */
export interface Holdings {
  readonly roles: ReadonlySet<string>;
  readonly roleNames: readonly string[];
  /** Whether a permission is there, by a permission, a role or an OAuth scope, and nothing denies it. */
  permits(name: string): boolean;
  /** Whether an OAuth scope is there, and nothing denies it. */
  hasScope(name: string): boolean;
}

/** A role that includes itself, by way of others. */
export class RoleCycle extends Error {
  override readonly name = 'RoleCycle';
  readonly role: string;

  constructor(path: readonly string[]) {
    super(`includes itself: ${path.join(' → ')}`);
    this.role = path[0] ?? '';
  }
}

/** Most tenants of one principal that are remembered. */
const MAX_TENANTS = 64;

interface Known {
  readonly own: Holdings;
  readonly byTenant: Map<string, Holdings>;
}

/** What the roles of one configuration mean. */
export class RoleBook {
  readonly #meanings: ReadonlyMap<string, readonly string[]>;
  readonly #definitions: Readonly<Record<string, RoleDefinition>>;
  /** Found out once for a principal, who is the same for many requests. */
  readonly #known = new WeakMap<Principal, Known>();

  #fingerprint: string | undefined = undefined;

  /** @throws {RoleCycle} for a role that includes itself. */
  constructor(definitions: Readonly<Record<string, RoleDefinition>>) {
    this.#definitions = definitions;
    this.#meanings = new Map(Object.keys(definitions).map((name) => [name, closureOf(name, definitions)]));
  }

  /** A digest of what roles mean, the same for the same meaning in every process. */
  get fingerprint(): string {
    return (this.#fingerprint ??= hash('sha256', JSON.stringify(this.#definitions), 'base64url'));
  }

  /** What a principal has, wherever it calls. A role of a tenant, `acme/editor`, is one of this whole name here. */
  holdingsOf(principal: Principal): Holdings {
    return this.#of(principal).own;
  }

  /**
   * What a principal has within a tenant: the roles that it has there, `<tenant>/<role>`; and all that it has besides, if
   * it is of this tenant itself.
   */
  holdingsIn(principal: Principal, tenant: string): Holdings {
    const { byTenant } = this.#of(principal);
    const known = byTenant.get(tenant);
    if (known !== undefined) return known;
    const prefix = `${tenant}/`;
    const there = principal.roles.flatMap((role) =>
      role.startsWith(prefix) ? [role.slice(prefix.length)] : [],
    );
    const isOwn = tenant !== '' && principal.tenant === tenant;
    // Nothing is remembered of what callers can make up.
    if (there.length === 0 && !isOwn) return NOTHING;
    const own = principal.roles.filter((role) => !role.includes('/'));
    const found = isOwn
      ? this.#holdings([...there, ...own], principal.permissions, principal.scopes)
      : this.#holdings(there, [], []);
    if (byTenant.size >= MAX_TENANTS) byTenant.clear();
    byTenant.set(tenant, found);
    return found;
  }

  #of(principal: Principal): Known {
    let known = this.#known.get(principal);
    if (known === undefined) {
      const { roles, permissions, scopes } = principal;
      known = { own: this.#holdings(roles, permissions, scopes), byTenant: new Map() };
      this.#known.set(principal, known);
    }
    return known;
  }

  #holdings(named: readonly string[], permissions: readonly string[], scopes: readonly string[]): Holdings {
    const roleNames = [...new Set(named.flatMap((role) => this.#meanings.get(role) ?? [role]))];
    const definitions = roleNames.flatMap((role) =>
      Object.hasOwn(this.#definitions, role) ? [this.#definitions[role] as RoleDefinition] : [],
    );
    const granted = permissionsOf([...permissions, ...definitions.flatMap((one) => one.permissions)]);
    const denied = permissionsOf(definitions.flatMap((one) => one.deny));
    return new HeldByRoles(roleNames, { granted, denied, scopes: new Set(scopes) });
  }
}

class HeldByRoles implements Holdings {
  readonly roles: ReadonlySet<string>;
  readonly roleNames: readonly string[];
  readonly #granted: PermissionSet;
  readonly #denied: PermissionSet;
  readonly #scopes: ReadonlySet<string>;

  constructor(
    roleNames: readonly string[],
    {
      granted,
      denied,
      scopes,
    }: { granted: PermissionSet; denied: PermissionSet; scopes: ReadonlySet<string> },
  ) {
    this.roleNames = roleNames;
    this.roles = new Set(roleNames);
    this.#granted = granted;
    this.#denied = denied;
    this.#scopes = scopes;
  }

  permits(name: string): boolean {
    return (this.#granted.implies(name) || this.#scopes.has(name)) && !this.#denied.implies(name);
  }

  hasScope(name: string): boolean {
    return this.#scopes.has(name) && !this.#denied.implies(name);
  }
}

function closureOf(name: string, definitions: Readonly<Record<string, RoleDefinition>>): readonly string[] {
  const found = new Set<string>();
  const visit = (role: string, path: readonly string[]): void => {
    if (path.includes(role)) throw new RoleCycle([...path.slice(path.indexOf(role)), role]);
    if (found.has(role)) return;
    // What is not defined is a role without a meaning of its own, which tokens can name.
    const { includes } = (Object.hasOwn(definitions, role) ? definitions[role] : undefined) ?? {
      includes: [],
    };
    for (const one of includes) visit(one, [...path, role]);
    found.add(role);
  };
  visit(name, []);
  return [...found];
}

/** The book of a configuration that defines no roles: each means only itself. */
export const NO_ROLES = new RoleBook({});

const NOTHING: Holdings = { roles: new Set(), roleNames: [], permits: () => false, hasScope: () => false };
