import { z } from 'zod';
import { percentage, timerDuration } from '../config/units.ts';
import { TOKEN } from '../config/field-name.ts';
import { checkSecretPlaces, secretFileName } from '../config/secret-places.ts';
import { variableName } from '../config/variable-name.ts';
import { labelsSchema } from '../upstreams/target.schema.ts';

const fieldName = z.string().regex(TOKEN, 'expected a name of a header field or cookie');

const step = z.union([
  percentage.transform((weight) => ({ weight, for: undefined, requests: undefined })),
  z.strictObject({
    weight: percentage.describe('Share of the traffic.'),
    for: timerDuration.optional().describe('How long it lasts at least. Default `stepTime`.'),
    requests: z.int().min(1).optional().describe('Attempts that either side needs. Default `stepRequests`.'),
  }),
]);

/** What a route says about its canary. */
export const canarySchema = z
  .strictObject({
    to: labelsSchema
      .optional()
      .describe('Labels of the targets of the upstream of the route that are the canary.'),
    upstream: z.string().optional().describe('The upstream that is the canary, in place of `to`.'),
    id: z
      .string()
      .regex(/^[A-Za-z0-9._-]{1,64}$/, 'expected up to 64 letters, digits, dots, dashes and underscores')
      .optional()
      .describe('Name of the rollout; another one begins it anew, also one that was aborted.'),
    weight: percentage
      .optional()
      .describe('Share of the traffic; with `steps` the first of them. Default 0%.'),
    sticky: z
      .union([
        z.enum(['principal', 'cookie', 'address']),
        z.strictObject({ header: fieldName.toLowerCase() }),
        z.strictObject({ cookie: fieldName }),
      ])
      .default('principal')
      .describe(
        'Who stays on one side: the principal, the client by a signed cookie, its address, or who has the same value of a field or cookie. Default principal.',
      ),
    secretEnv: variableName
      .optional()
      .describe(
        'Environment variable with the secret of 32 characters or more that cookies are signed with; without it who has no subject goes by the address.',
      ),
    secretFile: secretFileName
      .optional()
      .describe('File with that secret, from the working directory; a change is taken over.'),
    when: z
      .string()
      .min(1)
      .optional()
      .describe('A condition in CEL; whoever meets it goes to the canary, whatever the weight.'),
    steps: z
      .array(step)
      .min(1)
      .max(50)
      .optional()
      .describe(
        'Shares that follow each other by themselves; after the last one all traffic goes to the canary.',
      ),
    stepTime: timerDuration.default(60_000).describe('How long each step lasts at least. Default 1m.'),
    stepRequests: z
      .int()
      .min(1)
      .default(100)
      .describe('Attempts that either side needs in each step. Default 100.'),
    rollback: z
      .boolean()
      .optional()
      .describe('Whether a bad canary is left by itself. Default: with `steps`.'),
    tolerance: z
      .strictObject({
        errors: percentage
          .refine((share) => share >= 0.001, 'expected at least 0.1%')
          .default(0.01)
          .describe('Share of attempts that may fail on top of those of the stable side. Default 1%.'),
        p95: z
          .union([z.literal('off'), z.number().min(1.05).max(100)])
          .default(1.2)
          .describe('How many times as long the p95 may be; `off`: any. Default 1.2.'),
      })
      .prefault({})
      .describe('How much worse a canary may be.'),
    warmUp: timerDuration
      .default(30_000)
      .describe('How long nothing counts at first, but that more than a half fails. Default 30s.'),
    progressDeadline: timerDuration
      .default(600_000)
      .describe('How long a step may take until the rollout is paused. Default 10m.'),
  })
  .superRefine((canary, context) => {
    const fault = (path: (string | number)[], message: string): void =>
      context.addIssue({ code: 'custom', path, message });
    if ((canary.to === undefined) === (canary.upstream === undefined))
      fault(canary.to === undefined ? [] : ['upstream'], 'expected one of `to` and `upstream`');
    if (canary.weight === undefined && canary.steps === undefined && canary.when === undefined)
      fault([], 'expected `weight`, `steps` or `when`');
    const isSigned = canary.sticky === 'cookie';
    if (isSigned && canary.secretEnv === undefined && canary.secretFile === undefined)
      fault(['sticky'], 'expected `secretEnv` or `secretFile` beside it');
    checkSecretPlaces(canary, ['secretEnv', 'secretFile'], fault);
    let before = canary.weight ?? 0;
    canary.steps?.forEach(({ weight }, index) => {
      if (weight <= before && !(index === 0 && canary.weight === undefined && weight > 0))
        fault(['steps', index], 'expected a larger share than before');
      before = weight;
    });
  })
  .describe('A part of the traffic that goes to other targets, and what becomes of it.');

/** The parsed `canary` of a route. */
export type CanaryOptions = z.output<typeof canarySchema>;
