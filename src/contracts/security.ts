import { alternativesOf } from '../policies/authentication/requirement.ts';
import type { Route } from '../routing/route.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import type { Components, Operation } from './openapi.ts';

const USUAL_KEY_FIELD = 'X-API-Key';

/** Schemes whose credential is a token. */
const TOKENS: ReadonlySet<string> = new Set(['jwt', 'introspection']);

/** Where a configuration looks for credentials. */
export interface CredentialPlaces {
  /** The field of API keys. Default the usual one. */
  readonly keyField?: string | undefined;
  /** Whether tokens may come as `Authorization: Bearer`. Default they may. */
  readonly header?: boolean | undefined;
  /** The cookie that tokens may come in. Default none. */
  readonly cookie?: string | undefined;
  /** Whether tokens that are bound to a key are taken (RFC 9449), or nothing else. Default they are not. */
  readonly dpop?: 'accept' | 'require' | undefined;
  /** Where a browser logs in. Default nowhere. */
  readonly login?: { readonly login: string; readonly session: string } | undefined;
}

/** Where credentials are looked for. */
export function credentialPlaces(identity: GatewaySource['value']['identity']): CredentialPlaces {
  if (identity === undefined) return {};
  const { apiKeyOptions, tokens, login } = identity;
  const { header, cookie, dpop } = tokens;
  const mode = typeof dpop === 'string' ? undefined : dpop.mode;
  return { keyField: apiKeyOptions.header, header, cookie: cookie?.name, dpop: mode, login: login?.paths };
}

/** The credentials that routes may ask for; the names are those of the `authentication` policy. */
export function securitySchemes(places: CredentialPlaces = {}): Components['securitySchemes'] {
  const { keyField = USUAL_KEY_FIELD, cookie, dpop, login } = places;
  return {
    jwt: {
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'JWT',
      description: 'A token of an issuer that the gateway trusts.',
    },
    introspection: {
      type: 'http',
      scheme: 'bearer',
      description: 'A token that the gateway asks its authorization server about.',
    },
    apiKey: {
      type: 'apiKey',
      in: 'header',
      name: keyField.toLowerCase() === USUAL_KEY_FIELD.toLowerCase() ? USUAL_KEY_FIELD : keyField,
      description: 'A key that stands for an application.',
    },
    mtls: { type: 'mutualTLS', description: 'A certificate that the client proves to be its own.' },
    session: {
      type: 'apiKey',
      in: 'cookie',
      name: '__Host-Http-gatehouse',
      description: 'The session of a browser that has logged in; set by the gateway.',
      // Where a page can have somebody log in, and learn who is.
      ...(login === undefined
        ? {}
        : { 'x-gatehouse-login': login.login, 'x-gatehouse-session': login.session }),
    },
    ...(cookie === undefined
      ? {}
      : {
          tokenCookie: {
            type: 'apiKey',
            in: 'cookie',
            name: cookie,
            description: 'A token in a cookie, for pages that the configuration names.',
          },
        }),
    ...(dpop === undefined
      ? {}
      : {
          dpop: {
            type: 'http',
            scheme: 'dpop',
            description:
              'A token that is bound to a key, with a proof of its possession in the field `DPoP` (RFC 9449).',
          },
        }),
  };
}

/** What a route asks callers to prove; any one of the entries is enough, none means that it is open. */
export function securityOf({ policies }: Route, places: CredentialPlaces = {}): Operation['security'] {
  const { authentication } = policies;
  if (typeof authentication !== 'object') return [];
  const effective = { ...places, dpop: authentication.dpop ?? places.dpop };
  const all = alternativesOf(authentication).flatMap((schemes) => waysOf(schemes, effective));
  const ways = [...new Map(all.map((way) => [JSON.stringify(way), way])).values()];
  // An empty requirement makes the others optional (OpenAPI 3.1, Security Requirement Object).
  return authentication.optional === true ? [...ways, {}] : ways;
}

/** The ways to show credentials that are all needed: a token can come in several places. */
function waysOf(
  schemes: readonly string[],
  { header = true, cookie, dpop }: CredentialPlaces,
): Record<string, readonly string[]>[] {
  const isBound = dpop === 'require';
  const shown = (token: readonly string[]): Record<string, readonly string[]> =>
    Object.fromEntries([...token, ...schemes.filter((one) => !TOKENS.has(one))].map((one) => [one, []]));
  const tokens = schemes.filter((one) => TOKENS.has(one));
  if (tokens.length === 0) return [shown([])];
  return [
    ...(header && !isBound ? [Object.fromEntries(schemes.map((one) => [one, []]))] : []),
    ...(dpop === undefined ? [] : [shown(['dpop'])]),
    ...(cookie === undefined || isBound ? [] : [shown(['tokenCookie'])]),
  ];
}
