import type { Exchange } from '../../exchange/exchange.ts';
import type { StageFactory, StageInput } from '../stage-factory.ts';
import { changes, passes, type StageVerdict } from '../explained-stage.ts';
import type { ResponseHead, Stage } from '../stage.ts';
import { securityHeadersPolicy, type SecurityHeaders } from './security-headers.policy.ts';

const HSTS = 'strict-transport-security';

/** Adds fields to every head of one route; the last stage that looks at it, because it is the first of THE ORDER. */
class SecurityHeadersStage implements Stage {
  readonly heads = 'all';
  readonly #fields: ReadonlyMap<string, string>;
  readonly #strict: string | undefined;
  readonly #overrides: boolean;

  constructor(options: SecurityHeaders) {
    this.#fields = fieldsOf(options);
    this.#strict = strictOf(options.hsts);
    this.#overrides = options.override;
  }

  head({ scheme }: Exchange, { headers }: ResponseHead): void {
    // Ours in any case: a service speaks for itself, and this is about the whole host (RFC 6797 section 7.2).
    const said = this.#sift(headers);
    for (const [name, value] of this.#fields) if (!said?.has(name)) headers.push(name, value);
    if (this.#strict !== undefined && scheme === 'https') headers.push(HSTS, this.#strict);
  }

  explain({ scheme }: Exchange): StageVerdict {
    const strict = this.#strict !== undefined && scheme === 'https' ? [HSTS] : [];
    const names = [...this.#fields.keys(), ...strict];
    return names.length === 0 ? passes() : changes(`every answer gets ${names.join(', ')}`);
  }

  /** Takes out what is said in another way. @returns the names of ours that stay as they are; undefined for none. */
  #sift(headers: string[]): Set<string> | undefined {
    let said: Set<string> | undefined;
    let kept = 0;
    for (let i = 0; i < headers.length; i += 2) {
      const name = (headers[i] as string).toLowerCase();
      const isOurs = this.#fields.has(name);
      if ((name === HSTS && this.#strict !== undefined) || (isOurs && this.#overrides)) continue;
      if (isOurs) (said ??= new Set()).add(name);
      headers[kept] = headers[i] as string;
      headers[kept + 1] = headers[i + 1] as string;
      kept += 2;
    }
    headers.length = kept;
    return said;
  }
}

function fieldsOf(options: SecurityHeaders): ReadonlyMap<string, string> {
  const all: readonly (readonly [string, string | undefined])[] = [
    ['x-content-type-options', options.contentTypeOptions],
    ['x-frame-options', options.frameOptions],
    ['referrer-policy', options.referrerPolicy],
    ['content-security-policy', options.contentSecurityPolicy],
    ['permissions-policy', options.permissionsPolicy],
    ['cross-origin-opener-policy', options.crossOriginOpenerPolicy],
    ['cross-origin-resource-policy', options.crossOriginResourcePolicy],
  ];
  return new Map(
    all.flatMap(([name, value]) => (value === undefined || value === 'off' ? [] : [[name, value]])),
  );
}

function strictOf(hsts: SecurityHeaders['hsts']): string | undefined {
  if (hsts === 'off') return undefined;
  const { maxAge, includeSubDomains, preload } = hsts;
  const age = `max-age=${Math.floor(maxAge / 1000)}`;
  return age + (includeSubDomains ? '; includeSubDomains' : '') + (preload ? '; preload' : '');
}

/** Compiles the `securityHeaders` policy. */
export class SecurityHeadersStageFactory implements StageFactory {
  readonly policy = securityHeadersPolicy;

  compile({ policies }: StageInput): Stage | undefined {
    return policies.securityHeaders && new SecurityHeadersStage(policies.securityHeaders);
  }
}

/** Registers the policy in THE ORDER. */
export const securityHeaders = { policy: securityHeadersPolicy, factory: SecurityHeadersStageFactory };
