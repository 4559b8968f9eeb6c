import type { Exchange } from '../../exchange/exchange.ts';
import type { IdentityOptions } from './identity.schema.ts';

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/** The metadata of one resource (RFC 9728 section 3). */
export interface ResourceDocument {
  /** The path that it is served at: that of the resource comes after the well-known one (section 3.1). */
  readonly path: string;
  /** The host of the resource. */
  readonly host: string;
  readonly body: string;
}

/** Makes the documents that an `identity:` section asks for. */
export function resourceDocuments(options: IdentityOptions): readonly ResourceDocument[] {
  return options.resources.map((resource) => {
    const { hostname } = new URL(resource.url);
    const body = JSON.stringify(metadataOf(resource, options));
    return { path: WELL_KNOWN + pathOf(resource.url), host: hostname, body };
  });
}

/** Where the metadata of the resource is that a request is for: the one with the longest path; undefined for none. */
export function metadataUrlFor(
  resources: IdentityOptions['resources'],
  { host, path }: Pick<Exchange, 'host' | 'path'>,
): string | undefined {
  if (resources.length === 0) return undefined;
  // A proxy may have put another host in place of the one that clients know; then the path has to do.
  const ofHost = resources.filter(({ url }) => new URL(url).hostname === host);
  let best: string | undefined;
  for (const { url } of ofHost.length === 0 ? resources : ofHost)
    if (isBelow(path, pathOf(url)) && (best === undefined || pathOf(url).length > pathOf(best).length))
      best = url;
  return best === undefined ? undefined : new URL(best).origin + WELL_KNOWN + pathOf(best);
}

function isBelow(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');
}

/** Without the slash of a resource that is a whole host. */
function pathOf(url: string): string {
  const { pathname } = new URL(url);
  return pathname === '/' ? '' : pathname;
}

function metadataOf(resource: IdentityOptions['resources'][number], options: IdentityOptions): object {
  const { tokens, issuers, introspection } = options;
  const { url, scopes, name, documentation } = resource;
  const known = [...issuers.map(({ issuer }) => issuer), introspection?.issuer ?? ''];
  const servers = resource.authorizationServers ?? known.filter((issuer) => /^https?:\/\//.test(issuer));
  const { dpop } = tokens;
  return {
    // As it is written: clients compare it byte for byte (section 3.3).
    resource: url,
    ...(servers.length > 0 && { authorization_servers: [...new Set(servers)] }),
    ...(scopes.length > 0 && { scopes_supported: scopes }),
    bearer_methods_supported: tokens.header ? ['header'] : [],
    ...(name !== undefined && { resource_name: name }),
    ...(documentation !== undefined && { resource_documentation: documentation }),
    ...(typeof dpop !== 'string' && {
      dpop_signing_alg_values_supported: dpop.algorithms,
      dpop_bound_access_tokens_required: dpop.mode === 'require',
    }),
  };
}
