import { z } from 'zod';
import { urlText } from '../config/url.ts';

/** The parsed options of a target. */
export interface TargetOptions {
  /** Its origin: scheme, host, and port where that is not the scheme's. */
  readonly url: string;
  readonly weight: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly zone?: string | undefined;
  readonly priority: number;
  /** The name that it has to be certified for; undefined for the host of its origin. Only said by what discovers it. */
  readonly serverName?: string | undefined;
}

const targetUrl = urlText({
  schemes: ['http', 'https', 'grpc', 'grpcs'],
  example: 'http://127.0.0.1:4101 or grpc://127.0.0.1:4201',
  rest: 'slash',
}).describe('Origin of the target.');

/** One target, as the configuration and files of targets say it: an origin, or more about it. */
export const targetSchema = z.union([
  targetUrl.transform((url): TargetOptions => ({ url, weight: 1, labels: {}, priority: 0 })),
  z.strictObject({
    url: targetUrl,
    weight: z
      .int()
      .min(1)
      .max(1000)
      .default(1)
      .describe('Share of the traffic relative to the others. Default 1.'),
    labels: z.record(z.string(), z.string()).default({}).describe('Free labels, such as `track: canary`.'),
    zone: z.string().min(1).optional().describe('Where it stands, such as an availability zone.'),
    priority: z
      .int()
      .min(0)
      .max(65_535)
      .default(0)
      .describe(
        'Targets of the lowest are for use, others only while none of those is available. Default 0.',
      ),
  }),
]);

/** What is wrong with the scheme of a target; undefined for nothing. */
export function schemeFault(
  { url }: Pick<TargetOptions, 'url'>,
  { protocol, tls }: { readonly protocol: 'http' | 'grpc'; readonly tls?: unknown },
): string | undefined {
  if (url.startsWith('grpc') !== (protocol === 'grpc')) {
    return `expected ${protocol === 'grpc' ? 'a grpc://' : 'an http:// or https://'} origin, because the protocol is ${protocol}`;
  }
  if (tls === undefined || /^(https|grpcs):/.test(url)) return undefined;
  return `expected ${protocol === 'grpc' ? 'a grpcs://' : 'an https://'} origin, because the upstream has \`tls\``;
}

/** Labels that tell some targets from others: at least one. */
export const labelsSchema = z
  .record(z.string().min(1), z.string())
  .refine((given) => Object.keys(given).length > 0, 'expected at least one label');
