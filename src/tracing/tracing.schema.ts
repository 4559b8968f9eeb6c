import { z } from 'zod';
import { addressBlockText } from '../config/address-block.ts';
import { duration, percentage } from '../config/units.ts';

const share = percentage.describe('Share of the traces that begin here.');
const name = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$/, 'expected a name of letters, digits, dashes and the like');
const names = (what: string) => z.array(name).max(64).default([]).describe(`${what} Default none.`);

const options = z.strictObject({
  ratio: share
    .optional()
    .describe(
      'Share of the traces that begin here which are sampled. Default: as OTEL_TRACES_SAMPLER says, else 100%.',
    ),
  parent: z
    .enum(['follow', 'ignore'])
    .optional()
    .describe(
      'Whether the decision of a trusted caller holds, or the share for all. Default: as OTEL_TRACES_SAMPLER says, else follow.',
    ),
  errors: z
    .boolean()
    .default(true)
    .describe('Whether what ends with a fault of ours or of a service (5xx) is always kept. Default true.'),
  slow: duration.optional().describe('What takes longer is always kept. Default: nothing is for that.'),
  routes: z
    .record(
      z.string(),
      z.strictObject({
        ratio: share.optional().describe('Instead of `ratio`, for traces that begin with this route.'),
        errors: z.boolean().optional().describe('Instead of `errors`.'),
      }),
    )
    .default({})
    .describe('What is different for single routes, by id.'),
  accept: z
    .array(z.enum(['w3c', 'b3']))
    .optional()
    .describe(
      'Formats in which callers may say their trace: `traceparent`, or `b3` and `X-B3-*`. Default: as OTEL_PROPAGATORS says, else w3c.',
    ),
  send: z
    .array(z.enum(['w3c', 'b3', 'b3multi']))
    .optional()
    .describe('Formats in which services get it. Default: as OTEL_PROPAGATORS says, else w3c.'),
  baggage: names('Keys of `baggage` that trusted callers may say and services get.'),
  trust: z
    .union([z.enum(['all', 'none']), z.array(addressBlockText).min(1).max(1000)])
    .optional()
    .describe(
      'Peers whose trace is gone on with: all, none, or `loopback`, addresses and CIDR blocks. For others a trace begins, with a link to theirs. Default: `trustedProxies`.',
    ),
  query: names('Parameters of queries whose values spans show.'),
  requestHeaders: names('Header fields of requests that spans show.'),
  responseHeaders: names('Header fields of answers that spans show.'),
});

/** What the configuration says of traces. */
export const tracingSchema = z
  .union([z.literal('off').describe('Traces pass as they come, and no spans are made.'), options])
  .describe(
    'Traces: which are sampled, whose are gone on with, and what spans show. Where to is environment: OTEL_*.',
  );

/** The same as an object of TypeScript. */
export type TracingOptions = z.output<typeof options>;
