import type { JWTPayload } from 'jose';
import type { IdentityService, TokenUser } from '../services/identity.ts';
import { PEOPLE } from '../services/people.ts';

/** Well within the 15 minutes that a token is valid for. */
const TOKEN_KEPT_MS = 10 * 60_000;

/** A caller of the sample traffic, who is nobody that a reader of the demo calls as. */
interface Visitor {
  /** An address of RFC 5737; the gateway believes it, because it trusts who is on this machine to say it. */
  readonly address: string;
  readonly agent: string;
  /** Whom the token is for, and what it says in place of the usual. */
  readonly token?: { readonly as: TokenUser; readonly id: string; readonly expired?: true };
  readonly apiKey?: true;
  /** Shown instead of a token. */
  readonly authorization?: string;
}

const BROWSER = 'Mozilla/5.0 (sample traffic)';

export const VISITORS = {
  grace: { address: '203.0.113.4', agent: BROWSER, token: { as: 'user', id: '4' } },
  linus: { address: '203.0.113.5', agent: 'shop-ios/4.2 (sample traffic)', token: { as: 'user', id: '5' } },
  mary: { address: '198.51.100.6', agent: BROWSER, token: { as: 'user', id: '6' } },
  clerk: {
    address: '192.0.2.10',
    agent: 'back-office/1.0 (sample traffic)',
    token: { as: 'admin', id: '4' },
  },
  stranger: { address: '198.51.100.77', agent: BROWSER, token: { as: 'guest', id: '6' } },
  late: { address: '198.51.100.78', agent: BROWSER, token: { as: 'user', id: '5', expired: true } },
  forger: {
    address: '198.51.100.79',
    agent: 'curl/8 (sample traffic)',
    authorization: 'Bearer not.a.token',
  },
  partner: { address: '192.0.2.20', agent: 'partner-sync/2.1 (sample traffic)', apiKey: true },
  nobody: { address: '203.0.113.99', agent: BROWSER },
  crawler: { address: '192.0.2.66', agent: 'crawler/0.9 (sample traffic)' },
} as const satisfies Readonly<Record<string, Visitor>>;

/** The name of a caller. */
export type VisitorName = keyof typeof VISITORS;

/** What callers show. */
export interface Credentials {
  readonly identity: Pick<IdentityService, 'token'>;
  /** Of a client that only the sample traffic is. */
  readonly apiKey: string;
}

/** Makes the header fields of callers, with tokens that are new before the old ones end. */
export class VisitorHeaders {
  readonly #credentials: Credentials;
  readonly #tokens = new Map<VisitorName, { token: Promise<string>; until: number }>();

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  /** The header fields that a caller comes with. */
  async of(name: VisitorName): Promise<Record<string, string>> {
    const visitor: Visitor = VISITORS[name];
    const fields: Record<string, string> = {
      'x-forwarded-for': visitor.address,
      'user-agent': visitor.agent,
    };
    const authorization = visitor.token ? `Bearer ${await this.#token(name)}` : visitor.authorization;
    if (authorization !== undefined) fields['authorization'] = authorization;
    if (visitor.apiKey) fields['x-api-key'] = this.#credentials.apiKey;
    return fields;
  }

  #token(name: VisitorName): Promise<string> {
    const kept = this.#tokens.get(name);
    if (kept !== undefined && kept.until > Date.now()) return kept.token;
    const { as, id, expired }: NonNullable<Visitor['token']> = (VISITORS[name] as Visitor).token ?? {
      as: 'guest',
      id: '6',
    };
    const { email, tier } = PEOPLE.find((person) => person.id === id) ?? {};
    const claims: JWTPayload = { sub: id, email, tier };
    if (expired) Object.assign(claims, { iat: 1_700_000_000, exp: 1_700_000_900 });
    const token = this.#credentials.identity.token(as, claims);
    this.#tokens.set(name, { token, until: Date.now() + TOKEN_KEPT_MS });
    return token;
  }
}
