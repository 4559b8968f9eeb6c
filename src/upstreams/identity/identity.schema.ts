import { z } from 'zod';
import { TOKEN } from '../../config/field-name.ts';
import { timerDuration } from '../../config/units.ts';
import { fieldNameOf } from '../http/field-names.ts';
import { exchangeSchema } from './exchange.schema.ts';

/** The plain identity headers, in the order in which they are sent. */
export const TOLD_HEADERS = [
  'x-user-id',
  'x-user-email',
  'x-user-roles',
  'x-client-id',
  'x-tenant-id',
] as const;

/** What a token says besides who calls. */
export const TOKEN_CLAIMS = ['roles', 'permissions', 'scopes', 'email', 'tenant', 'tier'] as const;

/** Where a service looks for the token, unless it is told otherwise. */
export const TOKEN_HEADER = 'x-gatehouse-identity';

const KEPT_APART =
  /^(?:authorization|cookie|accept|origin|referer|user-agent|range|via|date|from|age|if-.*|content-.*|grpc-.*|sec-.*|.*-bin)$/;

const tokenHeader = z
  .string()
  .regex(TOKEN, 'expected a header field name')
  .toLowerCase()
  .refine(
    (name) => name === TOKEN_HEADER || (fieldNameOf(name).fate !== 'kept' && !KEPT_APART.test(name)),
    'expected a field of its own, which says nothing else',
  );

const audience = z.string().min(1).max(256);

const tokenOptions = z.strictObject({
  audience: z
    .union([audience, z.array(audience).min(1).max(10)])
    .optional()
    .describe('The `aud`: for whom it is. Default the name of the upstream.'),
  header: tokenHeader
    .default(TOKEN_HEADER)
    .describe('The field that it is in; what clients send there is removed. Default x-gatehouse-identity.'),
  claims: z
    .array(z.enum(TOKEN_CLAIMS))
    .default(['roles', 'tenant'])
    .describe('What it says besides `sub` and `client_id`. Default roles and tenant.'),
  lifetime: timerDuration
    .refine((ms) => ms >= 10_000 && ms <= 600_000, 'expected a duration between 10s and 10m')
    .default(60_000)
    .describe('How long it is valid; it is used for two thirds of that. Default 60s.'),
  jti: z.boolean().default(false).describe('Whether it has an id; one token goes along with many requests. Default false.'),
  anonymous: z
    .boolean()
    .default(false)
    .describe('Whether requests of nobody in particular carry one too, without `sub` and `client_id`. Default false.'),
}); // prettier-ignore

const fieldList = z
  .array(
    z
      .string()
      .regex(/^[!#$%&'+\-.^_`|~0-9A-Za-z]+\*?$/, 'expected a header field name, or its beginning and a `*`')
      .toLowerCase(),
  )
  .max(200);

/** What both a route and an upstream can say of the fields of clients. */
const passing = {
  authorization: z
    .enum(['forward', 'remove'])
    .optional()
    .describe(
      'Whether `Authorization` of clients reaches the targets. Default: `forward`, and `remove` where the upstream gets a token of its own.',
    ),
  allowHeaders: fieldList
    .optional()
    .describe(
      'The header fields of clients that reach the targets, besides those that describe the body; `x-app-*` for all that begin so. Default all.',
    ),
};

/** What is said of `Authorization` by both keys has to be the same. */
function agree(
  {
    authorization,
    allowHeaders,
  }: { authorization?: string | undefined; allowHeaders?: readonly string[] | undefined },
  context: z.RefinementCtx,
): void {
  if (authorization === undefined || allowHeaders === undefined) return;
  const fault = (path: (string | number)[], message: string): void =>
    context.addIssue({ code: 'custom', path, message });
  const isListed = allowHeaders.some((one) =>
    one.endsWith('*') ? 'authorization'.startsWith(one.slice(0, -1)) : one === 'authorization',
  );
  if (authorization === 'forward' && !isListed)
    fault(
      ['authorization'],
      'expected `authorization` among `allowHeaders` too: no field passes that is not listed there',
    );
  const index = allowHeaders.indexOf('authorization');
  if (authorization === 'remove' && index >= 0)
    fault(['allowHeaders', index], 'expected no `authorization` beside `authorization: remove`');
}

/** The `identity` of an upstream: what its services learn of callers. */
export const upstreamIdentitySchema = z
  .strictObject({
    headers: z
      .array(z.string().toLowerCase().pipe(z.enum(TOLD_HEADERS)))
      .optional()
      .describe('Which of X-User-Id, X-User-Email, X-User-Roles, X-Client-Id and X-Tenant-Id are sent. Default all.'),
    ...passing,
    token: z
      .union([z.literal(true).transform(() => tokenOptions.parse({})), tokenOptions])
      .optional()
      .describe('A signed token that says who calls; needs `identity.signing`. `true`, or options. Default none.'),
    exchange: exchangeSchema.optional(),
  })
  .superRefine((identity, context) => {
    agree(identity, context);
    const { exchange, authorization } = identity;
    if (exchange === undefined || authorization !== 'forward') return;
    const message = 'expected no `forward`: the field has the token that was exchanged';
    context.addIssue({ code: 'custom', path: ['authorization'], message });
  }); // prettier-ignore

/** The `identity` of a route, in place of what its upstream says. */
export const routeIdentitySchema = z
  .strictObject(passing)
  .superRefine(agree)
  .describe('Which header fields of clients reach the upstream, in place of what that says.');

/** The parsed `identity` of an upstream. */
export type UpstreamIdentityOptions = z.output<typeof upstreamIdentitySchema>;

/** The parsed `token` of it. */
export type TokenOptions = z.output<typeof tokenOptions>;

/** The parsed `identity` of a route. */
export type RouteIdentityOptions = z.output<typeof routeIdentitySchema>;
