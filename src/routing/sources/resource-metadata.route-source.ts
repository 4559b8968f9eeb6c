import type { IdentityOptions } from '../../policies/authentication/identity.schema.ts';
import { resourceDocuments } from '../../policies/authentication/resource-metadata.ts';
import { policiesSchema } from '../gateway.schema.ts';
import type { ActionDefinition } from '../route-action.ts';
import type { RouteDefinition } from '../route.ts';

/** What every client has to read before it has a token, from whatever page it is. */
const policies = () =>
  policiesSchema.parse({
    authentication: 'public',
    authorization: 'off',
    cors: { origins: '*' },
  });

/**
 * Makes the routes of the metadata of protected resources (RFC 9728), where the file asks for some. Two resources of one path
 * are told apart by their hosts.
 *
 * @param origin where they stand, for messages.
 */
export function resourceRoutes(
  identity: IdentityOptions | undefined,
  origin: string,
): readonly RouteDefinition[] {
  if (identity === undefined) return [];
  const documents = resourceDocuments(identity);
  return documents.map(({ path, host, body }, index) => {
    const isOnly = documents.filter((other) => other.path === path).length === 1;
    const headers = { 'content-type': 'application/json', 'cache-control': 'public, max-age=300' };
    const answer = { kind: 'respond', status: 200, headers, body };
    const action: ActionDefinition = answer;
    return {
      id: `oauth-protected-resource${index === 0 ? '' : `-${index + 1}`}`,
      door: 'proxy',
      origin,
      match: { methods: ['GET'], path, hosts: isOnly ? [] : [host], headers: {} },
      action,
      policies: [policies()],
    };
  });
}
