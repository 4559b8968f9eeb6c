import { z } from 'zod';
import { unknownIssuer } from '../draft.ts';
import { texts, type Plugin, type PluginContext, type Translation } from './plugin.ts';

const SCHEMES = { jwt: 'jwt', 'key-auth': 'apiKey' } as const;

/** Who may call a route, by all plugins that say so together; a route with none of them is open, as it is in Kong. */
export function authenticationOf(context: PluginContext): Translation {
  const asking = Object.entries(SCHEMES).flatMap(([name, scheme]) => {
    const plugin = context.plugins.get(name);
    return plugin === undefined ? [] : [{ plugin, scheme, isOptional: isOptional(plugin) }];
  });
  const acl = context.plugins.get('acl');
  for (const { plugin } of asking) READERS[plugin.name]?.(plugin, context);
  if (asking.length === 0 && acl !== undefined)
    return { closed: 'acl without a plugin that says who calls: Kong lets nobody in' };
  if (asking.length === 0) return { policies: { authentication: 'public' } };
  if (asking.length > 1 && !asking.every((one) => one.isOptional)) {
    for (const { plugin } of asking)
      plugin.source.note('closed', 'jwt and key-auth together: one credential is looked at here, not both');
    return { closed: 'jwt and key-auth together: one credential is looked at here, not both' };
  }
  const policies = { authentication: { schemes: asking.map(({ scheme }) => scheme) } };
  return acl === undefined ? { policies } : authorized(acl, policies);
}

function authorized(acl: Plugin, policies: object): Translation {
  const { config } = acl;
  config.skipDefaults({ hide_groups_header: false, include_consumer_groups: false });
  const denied = config.get('deny', texts) ?? config.get('blacklist', texts) ?? [];
  const allowed = config.get('allow', texts) ?? config.get('whitelist', texts) ?? [];
  if (denied.length > 0 || allowed.length === 0) {
    acl.source.note('closed', 'groups that are denied: `authorization` says who is let in, never who is not');
    return { closed: 'acl denies groups; say under `authorization` who is let in' };
  }
  return { policies: { ...policies, authorization: { anyRole: allowed } } };
}

function isOptional({ config, source }: Plugin): boolean {
  if (config.get('anonymous', z.string()) === undefined) return false;
  source.note(
    'differs',
    'callers without credentials are refused here, and no anonymous consumer stands in',
    'config',
  );
  return true;
}

const READERS: Readonly<Record<string, (plugin: Plugin, context: PluginContext) => void>> = {
  jwt({ config, source }, { draft }) {
    config.skipDefaults({
      cookie_names: [],
      header_names: ['authorization'],
      run_on_preflight: true,
      maximum_expiration: 0,
      key_claim_name: 'iss',
    });
    config.skip('secret_is_base64');
    const verified = config.get('claims_to_verify', texts) ?? [];
    if (!verified.includes('exp'))
      source.note('differs', '`exp` and `nbf` are always checked, and a token has to have `exp`');
    if (config.get('uri_param_names', texts)?.length !== 0)
      source.note('differs', 'tokens come in `Authorization: Bearer` only, not in the query');
    tellsOfServices(source);
    if (draft.issuers.length > 0) return;
    draft.issuers.push(unknownIssuer('JWT'));
    source.note(
      'todo',
      'no consumer has a JWT credential here: set JWT_ISSUER, JWT_JWKS (URL of its key set) and JWT_AUDIENCE; nobody gets in before',
    );
  },
  'key-auth'({ config, source }) {
    config.skipDefaults({
      key_in_header: true,
      key_in_query: true,
      key_in_body: false,
      run_on_preflight: true,
    });
    config.skip('hide_credentials');
    const names = config.get('key_names', texts) ?? ['apikey'];
    if (names.some((name) => name.toLowerCase() !== 'x-api-key'))
      source.note(
        'differs',
        `clients send their key in X-API-Key, not in ${names.join(', ')}, and not in the query; services do not get it`,
      );
    tellsOfServices(source);
  },
};

function tellsOfServices(source: Plugin['source']): void {
  source.note('differs', 'services are told who calls by X-User-Id and X-Client-Id, not by X-Consumer-*');
}
