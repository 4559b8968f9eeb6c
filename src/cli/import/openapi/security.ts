import { z } from 'zod';
import { unknownIssuer, type Draft, type Section } from '../draft.ts';
import type { Source } from '../source.ts';

const requirements = z.array(z.record(z.string(), z.array(z.string())));

/** Who may call an operation: policies, or why that cannot be said. */
export type Admission = { readonly policies: Section } | { readonly closed: string };

/** One way in. */
interface Way {
  readonly scheme: 'jwt' | 'apiKey';
  readonly scopes: readonly string[];
}

/** The security schemes of an OpenAPI description. */
export class Schemes {
  readonly #root: Source;
  readonly #draft: Draft;

  constructor(root: Source, draft: Draft) {
    this.#root = root;
    this.#draft = draft;
  }

  /** Of an operation, or of the file where it says nothing. */
  of(operation: Source): Admission {
    const place = operation.has('security') ? operation : this.#root;
    const listed = place.get('security', requirements);
    if (listed === undefined) return this.#unsaid();
    const named = listed.filter((one) => Object.keys(one).length > 0);
    if (named.length === 0) return { policies: { authentication: 'public' } };
    if (named.length < listed.length)
      place.note(
        'differs',
        'credentials are not optional here; say `authentication: public` if they need not be',
        'security',
      );
    const ways = named.flatMap((one) => this.#wayOf(one, place) ?? []);
    if (ways.length === 0) {
      place.note(
        'closed',
        'none of its security schemes is one of here; its routes answer 503 until somebody says who may call',
        'security',
      );
      return {
        closed: `nothing here is like ${named.map((one) => Object.keys(one).join(' and ')).join(' or ')}`,
      };
    }
    return {
      policies: {
        authentication: { schemes: [...new Set(ways.map(({ scheme }) => scheme))] },
        ...authorizationOf(ways, place),
      },
    };
  }

  // Fails closed: many files say nothing of security although their services do.
  #unsaid(): Admission {
    this.#root.note(
      'todo',
      'the file says nothing of security, so that every operation wants a token; say `authentication: public` where everybody may call',
    );
    this.#expectTokens();
    return { policies: { authentication: { schemes: ['jwt'] } } };
  }

  #wayOf(requirement: Readonly<Record<string, readonly string[]>>, place: Source): Way | undefined {
    const names = Object.keys(requirement);
    const [name = ''] = names;
    if (names.length > 1) {
      place.note('left', `${names.join(' and ')} together: one credential is looked at here`, 'security');
      return undefined;
    }
    const scheme = this.#schemeOf(name, place);
    return scheme === undefined
      ? undefined
      : { scheme, scopes: scheme === 'jwt' ? (requirement[name] ?? []) : [] };
  }

  #schemeOf(name: string, place: Source): Way['scheme'] | undefined {
    const scheme = this.#root.at('components')?.at('securitySchemes')?.at(name);
    const kind = scheme?.get('type', z.string());
    if (kind === 'apiKey' && scheme?.get('in', z.string()) === 'header') {
      const field = scheme.get('name', z.string());
      if (field?.toLowerCase() !== 'x-api-key')
        scheme.note('differs', `clients send their key in X-API-Key, not in ${field}`);
      scheme.note(
        'todo',
        'add the keys under `identity.apiKeys`, with `gatehouse keys create`; services do not get them',
      );
      return 'apiKey';
    }
    const isBearer = kind === 'http' && scheme?.get('scheme', z.string())?.toLowerCase() === 'bearer';
    if (isBearer || kind === 'oauth2' || kind === 'openIdConnect') {
      const url = kind === 'openIdConnect' ? scheme?.get('openIdConnectUrl', z.string()) : undefined;
      this.#expectTokens(url?.replace(/\/\.well-known\/openid-configuration$/, ''));
      return 'jwt';
    }
    (scheme ?? place).note(
      'left',
      `${name}: callers prove who they are by a JWT as bearer token, or by a key in a header field`,
    );
    return undefined;
  }

  #expectTokens(issuer?: string): void {
    if (this.#draft.issuers.length > 0) return;
    this.#draft.issuers.push(unknownIssuer('JWT', issuer));
    this.#root.note(
      'todo',
      'set JWT_ISSUER, JWT_JWKS (URL of its key set) and JWT_AUDIENCE; nobody gets in before',
      'components',
    );
  }
}

/** Every way in has scopes of its own in the source; here what is asked for holds for all of them. */
function authorizationOf(ways: readonly Way[], place: Source): Section {
  const lists = ways.map(({ scopes }) => [...scopes].sort());
  const all = [...new Set(lists.flat())];
  if (all.length === 0) return {};
  const areEqual = lists.every((scopes) => scopes.join() === lists[0]?.join());
  if (!areEqual)
    place.note('differs', 'its ways in want different scopes; here each of them has to have all', 'security');
  return { authorization: { allPermissions: all } };
}
