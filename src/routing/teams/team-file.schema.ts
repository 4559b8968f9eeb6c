import { z } from 'zod';
import { routesSchemaOf, upstreamsSchema, type GatewayConfig, type RouteConfig } from '../gateway.schema.ts';
import type { ActionSource } from '../route-action.ts';
import { teamName } from './include.schema.ts';

/** A parsed file of a team. */
export interface TeamFile {
  readonly team?: string | undefined;
  readonly upstreams: GatewayConfig['upstreams'];
  readonly routes: readonly RouteConfig[];
}

const ONLY_OF_MAIN =
  'belongs into the file of the gateway: a file of a team has `team`, `upstreams` and `routes`';

/** What a file of a team may say: the routes and upstreams of the configuration, as they stand there. */
export function teamSchemaOf(sources: readonly ActionSource[]): z.ZodType<TeamFile> {
  const schema = z.strictObject(
    {
      version: z.literal(1).optional().describe('Version of this format. Default 1.'),
      team: teamName
        .optional()
        .describe(
          'The team; what the file is called after, unless the file of the gateway says another name.',
        ),
      upstreams: upstreamsSchema,
      routes: routesSchemaOf(sources),
    },
    {
      error: ({ code, keys }) =>
        code === 'unrecognized_keys' && keys?.length === 1 && isOfMain(String(keys[0]))
          ? ONLY_OF_MAIN
          : undefined,
    },
  );
  return schema.describe('What a team brings to a gateway.') as unknown as z.ZodType<TeamFile>;
}

const OF_MAIN: ReadonlySet<string> = new Set([
  'include', 'modules', 'listeners', 'trustedProxies', 'forwarded', 'floodLimit', 'connectionLimit', 'webSocketLimit',
  'loadShedding', 'cache', 'logging', 'logs', 'tracing', 'audit', 'defaults', 'identity', 'access', 'tiers', 'graphql',
  'contracts', 'quotas',
]); // prettier-ignore

function isOfMain(key: string): boolean {
  return OF_MAIN.has(key);
}
