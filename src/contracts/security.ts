import { alternativesOf } from '../policies/authentication/requirement.ts';
import type { Route } from '../routing/route.ts';
import type { Components, Operation } from './openapi.ts';

const USUAL_KEY_FIELD = 'X-API-Key';

/**
 * The credentials that routes may ask for; the names are those of the `authentication` policy.
 *
 * @param keyField the field of API keys, where it is not the usual one.
 */
export function securitySchemes(keyField = USUAL_KEY_FIELD): Components['securitySchemes'] {
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
    },
  };
}

/** What a route asks callers to prove; any one of the entries is enough, none means that it is open. */
export function securityOf({ policies }: Route): Operation['security'] {
  const { authentication } = policies;
  if (typeof authentication !== 'object') return [];
  const ways = alternativesOf(authentication).map((all) =>
    Object.fromEntries(all.map((scheme) => [scheme, []])),
  );
  // An empty requirement makes the others optional (OpenAPI 3.1, Security Requirement Object).
  return authentication.optional === true ? [...ways, {}] : ways;
}
