import type { ConfigFault } from '../config/config-fault.ts';

/** What audit events are about; also the names that `audit.events` takes. */
export const AUDIT_KINDS = ['denial', 'key', 'revocation', 'config', 'canary', 'quota', 'admin'] as const;
/** One of {@link AUDIT_KINDS}. */
export type AuditKind = (typeof AUDIT_KINDS)[number];

/**
 * What became of it: `done`; `denied`, or `unavailable` where nobody could be asked and it was denied for that; `shadow`, which
 * would have been denied; `refused` and `failed` of what an operator wanted; `unchanged`; `suppressed`, which counts others.
 */
export type AuditOutcome =
  | 'done'
  | 'denied'
  | 'unavailable'
  | 'shadow'
  | 'refused'
  | 'failed'
  | 'unchanged'
  | 'suppressed';

/** Who did it. */
export interface AuditActor {
  /** `principal` and `anonymous` call; `issuer` tells of log-outs; `admin` and `cli` order; the others are the process, its signals and its files. */
  readonly type: 'principal' | 'anonymous' | 'issuer' | 'admin' | 'cli' | 'gateway' | 'signal' | 'file';
  /** The partition of a principal, which tells users of two issuers apart; the name of an issuer, or of a signal. */
  readonly id?: string | undefined;
  /** How a principal has proved who it is. */
  readonly scheme?: string | undefined;
}

/** Something that happened and must be accounted for. Names are stable; texts are bounded and redacted when it is written. */
export interface AuditEvent {
  readonly kind: AuditKind | 'audit';
  /** What was done or asked for, such as `request`, `revoke`, `reload`, `promoted`. */
  readonly action: string;
  readonly outcome: AuditOutcome;
  readonly actor: AuditActor;
  readonly source?:
    | { readonly address?: string | undefined; readonly userAgent?: string | undefined }
    | undefined;
  /** What it was done to: the request line without values, a key, a file, an upstream. Never a secret. */
  readonly target?: string | undefined;
  /** Id of the route. */
  readonly route?: string | undefined;
  readonly requestId?: string | undefined;
  readonly traceId?: string | undefined;
  /** The status that was answered. */
  readonly status?: number | undefined;
  /** Why: the code of a problem, or words. */
  readonly reason?: string | undefined;
  /** The policy that refused, and its rule in names of the configuration. */
  readonly policy?: string | undefined;
  readonly by?: string | undefined;
  /** How many it stands for, where that is not one. */
  readonly count?: number | undefined;
  /** What else there is to say; no secrets. */
  readonly details?: Readonly<Record<string, string | number | boolean | undefined>> | undefined;
}

/** Whoever takes note of what must be accounted for; provided under the token `AUDIT`. */
export interface Audit {
  /** Takes note of it. Never throws and never waits; without `audit:` in the configuration it does nothing. */
  record(event: AuditEvent): void;
}

/** Where faults of a configuration are, without what stands there, which may be a secret. */
export function faultPlaces(faults: readonly ConfigFault[]): string | undefined {
  if (faults.length === 0) return undefined;
  const places = faults.slice(0, 10).map(({ file, line, key }) => `${file}:${line ?? ''} ${key}`.trimEnd());
  return (
    places.join(', ') + (faults.length > places.length ? `, and ${faults.length - places.length} more` : '')
  );
}
