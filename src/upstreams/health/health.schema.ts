import { z } from 'zod';
import { percentage, timerDuration } from '../../config/units.ts';
import { TOKEN } from '../../config/field-name.ts';

const positive = timerDuration.refine((ms) => ms > 0, 'expected more than nothing');

const statusText = z
  .string()
  .regex(/^[1-5]\d\d-[1-5]\d\d$/, 'expected a range such as 200-299')
  .transform((text) => text.split('-').map(Number) as [number, number])
  .refine(([first, last]) => first <= last, 'expected the smaller status first');

const status = z.union([
  z
    .int()
    .min(100)
    .max(599)
    .transform((one): [number, number] => [one, one]),
  statusText,
]);

const pathText = z
  .string()
  .regex(/^\/[!-~]*$/, 'expected a path that begins with / and has no spaces')
  .refine((path) => !path.includes('#'), 'expected no fragment');

const headers = z
  .record(
    z.string().regex(TOKEN, 'expected a header field name'),
    z.string().regex(/^[\t -~]*$/, 'expected a header field value'),
  )
  .refine(
    (fields) => !Object.keys(fields).some((name) => /^(host|content-length|transfer-encoding)$/i.test(name)),
    'expected no field that the gateway says by itself: host, content-length, transfer-encoding',
  );

const active = z
  .strictObject({
    path: pathText.optional().describe('Asks over HTTP: path and query of the request.'),
    tcp: z.literal(true).optional().describe('Only opens a connection; over TLS where the target has it.'),
    grpc: z
      .union([z.literal(true), z.string().min(1)])
      .optional()
      .describe('Asks by the health protocol of gRPC: for a service by its name, or `true` for the server.'),
    method: z.enum(['GET', 'HEAD']).default('GET').describe('Of the request over HTTP. Default GET.'),
    headers: headers.default({}).describe('Header fields of the request over HTTP. Default none.'),
    status: z
      .union([status.transform((one) => [one]), z.array(status).min(1)])
      .default([[200, 299]])
      .describe('Which statuses are good: numbers and ranges such as `200-299`. Default 200-299.'),
    body: z
      .string()
      .min(1)
      .max(1024)
      .optional()
      .describe('What the first 64 KiB of a good answer contain. Default anything.'),
    interval: positive.default(5000).describe('Time between two probes, give or take 10%. Default 5s.'),
    edgeInterval: positive
      .default(1000)
      .describe('The same while a target is about to change, if that is shorter. Default 1s.'),
    timeout: positive.default(2000).describe('How long one probe may take. Default 2s.'),
    down: z.int().min(1).max(100).default(3).describe('Bad probes in a row that take it down. Default 3.'),
    up: z.int().min(1).max(100).default(2).describe('Good probes in a row that bring it back. Default 2.'),
    initial: z
      .enum(['unknown', 'up'])
      .default('unknown')
      .describe(
        'What a target is that was not probed yet. `unknown` has no calls unless no other target can be called when it comes, or later. Default unknown.',
      ),
  })
  .superRefine((probe, context) => {
    const kinds = (['path', 'tcp', 'grpc'] as const).filter((kind) => probe[kind] !== undefined);
    if (kinds.length !== 1) {
      const message = `expected exactly one of path, tcp, grpc${kinds.length === 0 ? '' : `, not ${kinds.join(' and ')}`}`;
      context.addIssue({ code: 'custom', path: [], message });
    }
    if (probe.method === 'HEAD' && probe.body !== undefined)
      context.addIssue({ code: 'custom', path: ['body'], message: 'expected no `body`: HEAD brings none' });
  });

const passive = z.strictObject({
  failures: z
    .int()
    .min(1)
    .max(10_000)
    .default(5)
    .describe('Failures in a row that eject a target. Default 5.'),
  errorRate: z
    .union([z.literal('off'), percentage.refine((rate) => rate > 0, 'expected more than 0%')])
    .default(0.85)
    .describe('Share of failures in an interval that ejects it, or `off`. Default 85%.'),
  outliers: z
    .union([z.literal('off'), z.number().min(1).max(10)])
    .default(1.9)
    .describe(
      'How many standard deviations its share of successes may be below the mean of all; from 5 targets on, or `off`. Default 1.9.',
    ),
  latency: z
    .number()
    .min(1.5)
    .max(1000)
    .optional()
    .describe(
      'How many times the median of all its mean time to the first byte may be; from 5 targets on. Default any.',
    ),
  minimumCalls: z
    .int()
    .min(1)
    .default(50)
    .describe('Calls in an interval without which a target is not compared, nor rated. Default 50.'),
  interval: positive.default(10_000).describe('How long calls are counted together. Default 10s.'),
  ejectFor: positive
    .default(30_000)
    .describe('How long a target is ejected; times how often in a row it was. Default 30s.'),
  maxEjectFor: positive.default(300_000).describe('Cap of that. Default 5m.'),
  maxEjected: percentage
    .default(0.5)
    .describe(
      'Share of the targets that may be ejected or down; one always may, but never the last one that is available. Default 50%.',
    ),
});

/** What is asked of targets and looked at to know whether they are well; absent for nothing of the kind. */
export const healthSchema = z.strictObject({
  active: active.optional().describe('Asks each target now and then. Default: nobody is asked.'),
  passive: passive.optional().describe('Ejects targets whose calls fail. Default: none is.'),
});

/** The parsed options of health. */
export type HealthOptions = z.output<typeof healthSchema>;

/** The parsed options of active probes. */
export type ActiveOptions = NonNullable<HealthOptions['active']>;

/** The parsed options of passive ejection. */
export type PassiveOptions = NonNullable<HealthOptions['passive']>;

/** What about probes does not go with a protocol, as keys and what is expected. */
export function probeFaults(
  protocol: 'http' | 'grpc',
  active: Partial<ActiveOptions> | undefined,
): readonly { readonly key: string; readonly message: string }[] {
  if (active === undefined) return [];
  if (protocol === 'http' && active.grpc !== undefined)
    return [{ key: 'grpc', message: 'expected `path` or `tcp`, because the protocol is http' }];
  if (protocol === 'grpc' && active.path !== undefined)
    return [{ key: 'path', message: 'expected `grpc` or `tcp`, because the protocol is grpc' }];
  return [];
}
