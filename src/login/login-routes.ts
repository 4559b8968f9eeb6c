import type { LoginOptions } from '../policies/authentication/login/login.schema.ts';
import type { DeclaredPolicies, RouteDefinition } from '../routing/route.ts';
import type { LoginDefinition } from './login.action.ts';
import type { EndpointName } from './endpoints.ts';

/** Where the routes come from, for messages. */
const ORIGIN = 'identity.login';

/** Whoever comes to log in is nobody yet; the other endpoints look at sessions themselves, or at a token of the provider. */
const OPEN: DeclaredPolicies = { authentication: 'public' };

/** Whoever wants out gets out, however much there is to do. */
const ALWAYS: DeclaredPolicies = {
  ...OPEN,
  loadShedding: 'off',
  callerPriority: 'off',
  concurrency: 'off',
};

/** The routes of `identity.login`; none without it. What the defaults say besides who may call holds for them too. */
export function loginRoutes(login: LoginOptions | undefined): readonly RouteDefinition[] {
  if (login === undefined) return [];
  const { paths } = login;
  return [
    route('login', ['GET'], paths.login, OPEN),
    route('callback', ['GET'], paths.callback, OPEN),
    route('logout', ['GET', 'POST'], paths.logout, ALWAYS),
    route('backChannel', ['POST'], paths.backChannel, ALWAYS),
    route('session', ['GET'], paths.session, { authentication: { schemes: ['session'] } }),
  ];
}

function route(
  endpoint: EndpointName,
  methods: readonly string[],
  path: string,
  policies: DeclaredPolicies,
): RouteDefinition {
  const action: LoginDefinition = { kind: 'login', endpoint };
  return {
    id: `login-${endpoint.toLowerCase()}`,
    door: 'proxy',
    origin: ORIGIN,
    match: { methods, hosts: [], path, headers: {} },
    action,
    policies: [{ authorization: 'off', cache: 'off', externalAuthorization: 'off', ...policies }],
  };
}
