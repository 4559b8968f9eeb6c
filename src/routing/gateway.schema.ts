import { z } from 'zod';
import { auditSchema } from '../audit/audit.schema.ts';
import { addressBlockText } from '../config/address-block.ts';
import { urlText } from '../config/url.ts';
import { listenersSchema } from '../listeners/listeners.schema.ts';
import { accessSchema } from './access-table.ts';
import { rolesSchema } from './roles.schema.ts';
import { identitySchema } from '../policies/authentication/identity.schema.ts';
import { cacheSchema } from '../policies/cache/cache.schema.ts';
import { loadSheddingSchema } from '../policies/load-shedding/load-shedding.schema.ts';
import { policyList, policyRegistry } from '../policies/order.ts';
import { floodLimitSchema } from '../policies/rate-limit/rate-limit.policy.ts';
import { tiersSchema } from '../policies/rate-limit/tiers.schema.ts';
import { subsetKeys } from '../upstreams/balancing/balancing.schema.ts';
import { hedgeSchema } from '../upstreams/hedging/hedge-policy.ts';
import { routeIdentitySchema } from '../upstreams/identity/identity.schema.ts';
import { routeRetrySchema } from '../upstreams/retry-policy.ts';
import { signingSchema } from '../signing/signing.schema.ts';
import { tracingSchema } from '../tracing/tracing.schema.ts';
import { upstreamSchema } from '../upstreams/upstream.schema.ts';
import { includeSchema } from './teams/include.schema.ts';
import { graphqlOptionsSchema } from './graphql.schema.ts';
import { checkAction } from './action-keys.ts';
import { belongsToUpstreams } from './idle-policies.ts';
import { kubernetesSchema } from './kubernetes.schema.ts';
import { logsSchema } from './logs.schema.ts';
import { matchSchema, pathsSchema, prioritySchema } from './match.schema.ts';
import type { ActionSource } from './route-action.ts';
import type { DeclaredPolicies } from './route.ts';

const off = z.literal('off').describe('Switches a default off.');

/** The `policies:` section; its keys and their schemas are the registry's. */
export const policiesSchema = z
  .strictObject(
    Object.fromEntries(
      Object.values(policyRegistry).map((policy) => [policy.name, z.union([off, policy.schema]).optional()]),
    ),
  )
  .transform((policies) => policies as DeclaredPolicies)
  .describe('Policies by name. A narrower level replaces a whole policy of a wider one.');

const ofUpstreams = policyList.filter(({ isOfUpstreams }) => isOfUpstreams === true);

/** Policies of a level at which some would change nothing for upstreams, which have them at keys of their own. */
function policiesOfAll(isIdle: (said: unknown) => boolean) {
  return policiesSchema.superRefine((policies, context) => {
    for (const { name } of ofUpstreams)
      if (isIdle((policies as Readonly<Record<string, unknown>>)[name]))
        context.addIssue({ code: 'custom', path: [name], message: belongsToUpstreams(name) });
  });
}

/** The keys that routes of every kind have. */
const commonRoute = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected letters, digits, dots, dashes and underscores')
    .describe('Unique name, for logs, metrics and limits.'),
  match: matchSchema.optional().describe('What a request must look like. Absent only with `grpc`.'),
  upstream: z
    .string()
    .optional()
    .describe('Name of the upstream that answers. Absent where no single one does.'),
  priority: prioritySchema.optional(),
  paths: pathsSchema.optional(),
  retry: routeRetrySchema.optional(),
  ...subsetKeys,
  hedge: hedgeSchema.optional(),
  identity: routeIdentitySchema.optional(),
  policies: policiesSchema.optional(),
});

/** One parsed route of the configuration file; what its kind says about itself is for the kind to read. */
export type RouteConfig = z.output<typeof commonRoute> & Readonly<Record<string, unknown>>;

const isMap = ({ value }: { readonly value: unknown }): boolean =>
  typeof value === 'object' && value !== null;

function routeSchema(sources: readonly ActionSource[]): z.ZodType<RouteConfig> {
  const keys = sources.flatMap((source) => Object.entries(source.keys));
  const own = Object.fromEntries(keys.map(([key, schema]) => [key, schema.optional()]));
  const whole = commonRoute
    .extend(own)
    .superRefine((route, context) => checkAction(route, context, sources), { when: isMap });
  // Zod knows only the keys that stand in the code.
  return whole as unknown as z.ZodType<RouteConfig>;
}

const serverUrl = urlText({
  schemes: ['http', 'https'],
  example: 'https://api.example.com',
  rest: 'anything',
});

const contracts = z
  .strictObject({
    enabled: z
      .boolean()
      .optional()
      .describe(
        'Whether /openapi.json and /docs are served. Default: yes, but not with NODE_ENV=production.',
      ),
    title: z.string().min(1).default('Gatehouse').describe('What clients call this API.'),
    version: z.string().min(1).default('1').describe('Version of the API, not of the gateway. Default 1.'),
    servers: z
      .array(serverUrl)
      .default([])
      .describe('Where clients reach the gateway. Default: where they got the document from.'),
    hide: z.array(z.string().min(1)).default([]).describe('Ids of routes that are left out of the document.'),
    policies: policiesSchema
      .optional()
      .describe(
        'Policies of /openapi.json and /docs, which are open to everybody unless they say otherwise.',
      ),
  })
  .describe('What clients are told about the routes.');

/** The `routes:` section. @param sources the kinds of routes that there are. */
export function routesSchemaOf(sources: readonly ActionSource[]) {
  return z.array(routeSchema(sources)).default([]).describe('The routes that need no code.');
}

/** The `upstreams:` section. */
export const upstreamsSchema = z
  .record(
    z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 'expected letters, digits, dashes and underscores'),
    upstreamSchema.safeExtend({
      policies: policiesOfAll((said) => said !== undefined)
        .optional()
        .describe('Policies of every route that leads here, unless the route says otherwise.'),
    }),
  )
  .default({})
  .describe('The services behind the gateway, by name.');

/**
 * The whole configuration file, composed from what each room declares. Names are the public contract.
 *
 * @param sources the kinds of routes that there are.
 */
export function gatewaySchemaOf(sources: readonly ActionSource[]): z.ZodType<GatewayConfig> {
  return wholeSchema.safeExtend({ routes: routesSchemaOf(sources) });
}

const wholeSchema = z
  .strictObject({
    version: z.literal(1).describe('Version of this format.'),
    modules: z
      .array(z.string().min(1))
      .default([])
      .describe('Nest modules that are switched on, by name; a change needs a restart. Default none.'),
    include: includeSchema.optional(),
    listeners: listenersSchema.optional(),
    trustedProxies: z
      .array(addressBlockText)
      .default([])
      .describe('Proxies whose X-Forwarded-For and Forwarded are believed. Default none.'),
    forwarded: z
      .enum(['either', 'xForwarded', 'rfc7239'])
      .default('either')
      .describe(
        'Which fields trusted proxies speak in: X-Forwarded-*, Forwarded (RFC 7239), or either; who sends both has to name one client in them. Default either.',
      ),
    floodLimit: z
      .union([off, floodLimitSchema])
      .default('off')
      .describe('A coarse limit per client address before anything else; `key` is always `ip`.'),
    connectionLimit: z
      .union([
        off,
        z.strictObject({
          perAddress: z
            .int()
            .min(1)
            .max(1_000_000)
            .describe('Most open connections of one client address, or of one /64 of IPv6.'),
        }),
      ])
      .default('off')
      .describe(
        'How many connections one client address may have open; those of trusted proxies are not counted. Default off.',
      ),
    webSocketLimit: z
      .int()
      .min(1)
      .default(20_000)
      .describe(
        'Most WebSockets that are forwarded at once, all routes together, in one process. Default 20000.',
      ),
    loadShedding: loadSheddingSchema.optional(),
    cache: cacheSchema.optional(),
    logging: z
      .strictObject({
        redact: z
          .array(z.string().min(1).max(100))
          .max(200)
          .default([])
          .describe(
            'More names of header fields, parameters, cookies and members of JSON whose values are never shown. Default none.',
          ),
      })
      .prefault({})
      .describe('What lines of the log, and whatever operators are shown, do not hold.'),
    logs: logsSchema,
    tracing: tracingSchema.optional(),
    audit: auditSchema.optional(),
    kubernetes: kubernetesSchema
      .extend({
        policies: policiesSchema
          .optional()
          .describe('Policies of all routes of the cluster, unless theirs say otherwise. Default none.'),
      })
      .optional()
      .describe(
        'Routes, upstreams and listeners that objects of a cluster say, besides those of the file; a change needs a restart.',
      ),
    defaults: z
      .strictObject({ policies: policiesOfAll((said) => said === 'off').optional() })
      .default({})
      .describe('What every route starts from.'),
    identity: identitySchema
      .extend({ roles: rolesSchema.default({}), signing: signingSchema.optional() })
      .optional()
      .describe('Who issues the credentials.'),
    access: accessSchema.default([]),
    tiers: tiersSchema.optional(),
    upstreams: upstreamsSchema,
    graphql: z
      .strictObject({
        policies: policiesSchema.optional().describe('Policies of /graphql.'),
        ...graphqlOptionsSchema.shape,
      })
      .default({})
      .describe('The GraphQL door.'),
    contracts: contracts.prefault({}),
    quotas: z
      .union([
        off,
        z.strictObject({
          path: z
            .string()
            .regex(/^\/[\w./~-]*$/, 'expected a path, such as /quota')
            .default('/quota')
            .describe('The path. Default /quota.'),
          policies: policiesSchema
            .optional()
            .describe(
              'Its policies. Who may call is by default as the defaults say, else as routes with quotas do.',
            ),
        }),
      ])
      .optional()
      .describe(
        'Where callers look at what is left of their quotas. Default `/quota` as soon as there is a quota in the file, unless a route has that path.',
      ),
  })
  .superRefine(({ identity, listeners, trustedProxies }, context) => {
    const given = identity?.clientCertificates;
    if (given === undefined) return;
    const isAsked = listeners?.some(({ tls }) => tls?.clientCertificates !== undefined) === true;
    const isForwarded = given.forwarded !== undefined;
    const message =
      isForwarded && trustedProxies.length === 0
        ? 'expected `trustedProxies`: nobody may pass certificates on'
        : 'expected `tls.clientCertificates` of a listener, or `forwarded`: nobody is asked for a certificate';
    if (isForwarded ? trustedProxies.length > 0 : isAsked) return;
    const path = ['identity', 'clientCertificates', ...(isForwarded ? ['forwarded'] : [])];
    context.addIssue({ code: 'custom', path, message });
  })
  .superRefine(({ graphql }, context) => {
    if (graphql.cost !== undefined) return;
    const message = 'expected `graphql.cost` beside `cost: query`: else nobody counts what operations cost';
    for (const policy of ['rateLimit', 'quota'] as const) {
      const said: unknown = graphql.policies?.[policy];
      if (!Array.isArray(said)) continue;
      if (said.some((rule: { readonly cost?: unknown }) => rule.cost === 'query'))
        context.addIssue({ code: 'custom', path: ['graphql', 'policies', policy], message });
    }
  })
  .describe('Gatehouse configuration.');

/** The parsed configuration file. */
export type GatewayConfig = z.output<typeof wholeSchema> & { readonly routes: readonly RouteConfig[] };

/** What the configuration file may say, as it is written; keys of actions and policies are checked when it is read. */
export type GatewayConfigInput = z.input<typeof wholeSchema> & {
  readonly routes?: readonly (z.input<typeof commonRoute> & Readonly<Record<string, unknown>>)[];
};

/** What the configuration file says about the contracts for clients. */
export type ContractsConfig = GatewayConfig['contracts'];
