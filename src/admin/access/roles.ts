/** What operators may do, each with what comes before it: look, act on what runs, and change who may do what. */
export const ROLES = ['read', 'operate', 'admin'] as const;
/** One of {@link ROLES}. */
export type Role = (typeof ROLES)[number];

/** What an operation asks for; `anyone` is for pages that hold nothing but what the gateway's package holds. */
export type NeededRole = Role | 'anyone';

/** How somebody has shown who it is; `loopback` where nobody is asked. */
export type ShownBy = 'loopback' | 'token' | 'certificate' | 'session';

/** Who asks the operators' listener. */
export interface Caller {
  /** As the file of tokens names it; undefined where nobody is asked for a name. */
  readonly name: string | undefined;
  readonly role: Role;
  readonly by: ShownBy;
}

/** Why somebody is not let in. */
export interface Refusal {
  /** For metrics. */
  readonly reason:
    | 'no-credentials'
    | 'malformed'
    | 'unknown-token'
    | 'expired'
    | 'unknown-certificate'
    | 'unknown-session'
    | 'damped';
  /** What the caller is told. */
  readonly error: string;
  /** Of whom, where that is known: of an expired token. */
  readonly name?: string | undefined;
  /** When to come back, for who has failed too often. */
  readonly retryAfterS?: number | undefined;
}

/** Whether somebody is let in. */
export type Verdict = { readonly caller: Caller } | { readonly refusal: Refusal };

/** Whether a role includes what is needed. */
export function includesRole(role: Role, needed: NeededRole): boolean {
  return needed === 'anyone' || ROLES.indexOf(role) >= ROLES.indexOf(needed);
}
