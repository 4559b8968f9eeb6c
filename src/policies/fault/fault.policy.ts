import { z } from 'zod';
import { durationText, percentage, percentText, timerDuration } from '../../config/units.ts';
import { definePolicy } from '../policy.ts';
import { TOKEN } from '../../config/field-name.ts';
import { GRPC_STATUS_NAMES } from '../../problems/grpc-refusal.ts';

const share = percentage.default(1).describe('Share of the requests it befalls. Default 100%.');
const LONGEST_DELAY_MS = 60_000;
const GRPC_FAULTS = GRPC_STATUS_NAMES.filter((name) => name !== 'OK');

/** Faults that are made on purpose, to see who can live with them. */
export const faultPolicy = definePolicy({
  name: 'fault',
  schema: z
    .strictObject({
      delay: z
        .strictObject({
          for: timerDuration
            .refine((ms) => ms >= 1 && ms <= LONGEST_DELAY_MS, 'expected 1ms to 1m')
            .describe('How long the request waits.'),
          share,
        })
        .optional()
        .describe('Requests wait, within their deadline.'),
      abort: z
        .strictObject({
          share,
          status: z
            .int()
            .min(400)
            .max(599)
            .default(503)
            .describe('Status of the refusal, 400 to 599. Default 503.'),
          grpcStatus: z
            .enum(GRPC_FAULTS)
            .optional()
            .describe('What callers of gRPC hear. Default what `status` means there: UNAVAILABLE for 503.'),
        })
        .optional()
        .describe('Requests are refused with the problem `fault-injected`.'),
      header: z
        .strictObject({
          name: z.string().regex(TOKEN, 'expected a header field name').toLowerCase(),
          value: z.string().optional().describe('Default: any.'),
        })
        .optional()
        .describe('Only requests with this header field.'),
      anyRole: z
        .array(z.string().min(1))
        .min(1)
        .optional()
        .describe('Only principals with one of these roles.'),
    })
    .refine(
      ({ delay, abort }) => delay !== undefined || abort !== undefined,
      'expected `delay`, `abort`, or both',
    ),
  summary:
    'Makes faults on purpose: requests wait, or are refused as if the service had failed. Does nothing unless the environment says `FAULT_INJECTION=on`.',
  per: 'operation',
  before: 'action',
  refusesWith: ['fault-injected'],
  refuses: ({ abort }) => (abort === undefined ? [] : ['fault-injected']),
  describe: ({ delay, abort }) =>
    [
      ...(delay === undefined ? [] : [`delays ${percentText(delay.share)} by ${durationText(delay.for)}`]),
      ...(abort === undefined ? [] : [`aborts ${percentText(abort.share)}${statusOf(abort)}`]),
    ].join(', '),
});

// What is usual is not said.
function statusOf({ status, grpcStatus }: { status: number; grpcStatus?: string | undefined }): string {
  const shown = [...(status === 503 ? [] : [String(status)]), grpcStatus ?? []].flat();
  return shown.length === 0 ? '' : ` with ${shown.join(' or ')}`;
}

/** Makes faults at a controller or handler. */
export const Fault = faultPolicy.decorator;
