import { z } from 'zod';
import { policiesSchema } from '../routing/gateway.schema.ts';
import { hostOption } from '../upstreams/http/proxy-fields.ts';
import { subsetKeys } from '../upstreams/balancing/balancing.schema.ts';
import { hedgeSchema } from '../upstreams/hedging/hedge-policy.ts';
import { routeRetrySchema } from '../upstreams/retry-policy.ts';
import { rewriteSchema } from '../routing/rewrite.schema.ts';
import { mirrorSchema } from './mirror/mirror.schema.ts';
import { TOKEN } from '../config/field-name.ts';

/** Each of them is a route. */
const MOST_VERSIONS = 100;

/** Names that stand for another version, or for none. */
const RESERVED = ['default', 'latest', 'unknown'];

const versionName = z
  .string()
  .regex(
    /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/,
    'expected letters, digits, dots and dashes, such as v1',
  )
  .refine((name) => !RESERVED.includes(name), `expected another name than ${RESERVED.join(', ')}`);
const place = z.union([
  z.literal('path').describe('A segment of the path: where `{version}` stands in it, else before all of it.'),
  z.strictObject({ header: z.string().regex(TOKEN, 'expected the name of a header field') }),
  z.strictObject({ mediaType: z.string().regex(TOKEN, 'expected the name of a parameter') }),
  z.strictObject({ query: z.string().min(1) }),
]);

const NO_CANARY =
  'a version has no canary; take the version out of `versions` and give it a route of its own, with its place in `match` (`path`, `headers` or `query`) and with `canary`';

const version = z.strictObject(
  {
    upstream: z.string().describe('Name of the upstream that answers.'),
    rewrite: rewriteSchema.optional(),
    host: hostOption.optional(),
    retry: routeRetrySchema.optional(),
    ...subsetKeys,
    hedge: hedgeSchema.optional(),
    mirror: mirrorSchema.optional(),
    internal: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe(
        'Roles, one of which a caller needs to have; on top of what the route asks for. Default: not internal.',
      ),
    policies: policiesSchema
      .optional()
      .describe('Policies of this version; each replaces the one of the route.'),
  },
  {
    error: ({ code, keys }) =>
      code === 'unrecognized_keys' && keys?.join() === 'canary' ? NO_CANARY : undefined,
  },
);

/** The `versions:` of a route. */
export const versionsSchema = z
  .strictObject({
    by: place.describe(
      'Where a request names the version: `path`, { header: x-api-version }, { mediaType: version }, { query: version }.',
    ),
    default: z
      .string()
      .optional()
      .describe('The version for requests that name none. Default: they are refused.'),
    latest: z
      .string()
      .optional()
      .describe('The version that `latest` stands for. Default: `latest` stands for none.'),
    of: z
      .record(versionName, version)
      .refine((all) => Object.keys(all).length > 0, 'expected at least one version')
      .refine((all) => Object.keys(all).length <= MOST_VERSIONS, `expected at most ${MOST_VERSIONS} versions`)
      .describe('The versions by name, such as v1: { upstream: users-v1 }.'),
  })
  .superRefine(({ of, ...names }, context) => {
    for (const key of ['default', 'latest'] as const) {
      const name = names[key];
      if (name === undefined || Object.hasOwn(of, name)) continue;
      const message = `expected one of ${Object.keys(of).join(', ')}`;
      context.addIssue({ code: 'custom', path: [key], message });
    }
  })
  .describe('Answers for several versions of an API, each from its upstream.');

/** The parsed `versions:` of a route. */
export type VersionsOptions = z.output<typeof versionsSchema>;

/** One parsed version. */
export type VersionOptions = VersionsOptions['of'][string];
