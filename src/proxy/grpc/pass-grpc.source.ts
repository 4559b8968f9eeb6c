import { z } from 'zod';
import { size } from '../../config/units.ts';
import { splitSchema } from '../split.schema.ts';
import type { RouteConfig } from '../../routing/gateway.schema.ts';
import { definitionOf } from '../../routing/read-routes.ts';
import type { ActionDefinition, ActionSource, SourceFault } from '../../routing/route-action.ts';

const options = z.strictObject({
  maxMessage: size
    .refine((bytes) => bytes >= 1 && bytes < 2 ** 32, 'expected 1 byte to 4GiB')
    .default(4 * 2 ** 20)
    .describe('Largest message of a client, as it comes: compressed ones are not opened. Default 4MiB.'),
  web: z
    .boolean()
    .default(true)
    .describe('Whether browsers may call by gRPC-Web, over HTTP/1.1 too. Default true.'),
  stripPrefix: z
    .string()
    .regex(/^(\/[A-Za-z0-9\-._~]+)+$/, 'expected a literal path such as /rpc')
    .optional()
    .describe(
      'What is taken from the beginning of the path, before `/package.Service/Method`. Default nothing.',
    ),
  split: splitSchema
    .optional()
    .describe('Shares of the calls by weight, each call by itself. Default: all go to `upstream`.'),
});

/** The `passGrpc:` section of a route. */
export const passGrpcSchema = z
  .union([z.literal(true).transform(() => options.parse({})), options])
  .describe('Passes calls of gRPC and gRPC-Web on as they are; `true`, or options.');

/** How calls are passed on. */
export type PassGrpcOptions = z.output<typeof passGrpcSchema>;

/** A route whose calls are passed on, as data. */
export interface PassGrpcDefinition extends ActionDefinition {
  readonly kind: 'passGrpc';
  readonly options: PassGrpcOptions;
}

/** Every call is a POST (gRPC over HTTP/2, Requests). */
const METHODS = ['POST'];

/** Routes with `passGrpc`: calls of gRPC, to an upstream that speaks it. */
export const passGrpcSource: ActionSource = {
  kind: 'passGrpc',
  door: 'passedGrpc',
  key: 'passGrpc',
  keys: { passGrpc: passGrpcSchema },
  hasUpstream: true,
  passesFields: true,
  alone: 'calls are passed on as they are',
  check: checkRoute,
  read(reading) {
    const action: PassGrpcDefinition = {
      kind: 'passGrpc',
      options: reading.route['passGrpc'] as PassGrpcOptions,
    };
    return { definitions: [definitionOf(reading, action, METHODS)], faults: [] };
  },
};

function checkRoute({ match, ...route }: RouteConfig): Pick<SourceFault, 'path' | 'message'> | undefined {
  if (match?.methods !== undefined && match.methods.join() !== 'POST')
    return { path: ['match', 'methods'], message: 'expected POST or nothing: every call of gRPC is a POST' };
  const { stripPrefix } = (route['passGrpc'] ?? {}) as Partial<PassGrpcOptions>;
  if (stripPrefix !== undefined && match?.path.startsWith(`${stripPrefix}/`) === false)
    return {
      path: ['passGrpc', 'stripPrefix'],
      message: `expected a beginning of the path ${match.path}`,
    };
  return undefined;
}
