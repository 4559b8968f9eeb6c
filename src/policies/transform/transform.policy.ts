import { z } from 'zod';
import { size } from '../../config/units.ts';
import { definePolicy } from '../policy.ts';

const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'expected a header field name');
const headerValue = z
  .string()
  .regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'expected a header field value on one line');
/** Fields that frame the message or concern one connection: HTTP itself answers for them. */
const FRAMING = /^(connection|content-length|expect|keep-alive|te|trailer|transfer-encoding|upgrade)$/i;
const settableName = headerName.refine(
  (name) => !FRAMING.test(name),
  'expected a header field that does not frame the message',
);
const setHeaders = z
  .record(settableName, headerValue)
  .describe('Header fields to set; a field of that name is replaced.')
  .optional();
const removeHeaders = z.array(headerName).describe('Header fields to remove.').optional();

/** Edits of request and response on their way through. */
export const transformPolicy = definePolicy({
  name: 'transform',
  schema: z.strictObject({
    request: z
      .strictObject({ setHeaders, removeHeaders })
      .describe('Edits on the way to the upstream.')
      .optional(),
    response: z
      .strictObject({
        setHeaders,
        removeHeaders,
        headersOn: z
          .enum(['answers', 'all'])
          .default('answers')
          .describe(
            'Whose header fields are edited: `answers` of the route, or `all`, which adds refusals and faults of the gateway and the 101 of a socket. Default answers.',
          ),
        maskFields: z
          .array(z.string().min(1))
          .min(1)
          .describe(
            'JSON fields to remove at every depth; a dotted path (`user.internal`) removes only there. Holds back every body that may be JSON.',
          )
          .optional(),
        maxBody: size.default(2 ** 20).describe('Largest body that is held back for masking. Default 1MiB.'),
      })
      .describe('Edits on the way to the client.')
      .optional(),
  }),
  summary: 'Edits the header of request and response, and removes fields from JSON answers.',
  per: 'connection',
  before: 'body',
  refusesWith: ['upstream-response-invalid'],
  refuses: ({ response }, door) =>
    door === 'handler' || response?.maskFields === undefined ? [] : ['upstream-response-invalid'],
  describe: ({ request, response }) =>
    [
      ...editsOf('request', request),
      ...editsOf('response', response),
      ...(response?.maskFields ?? []).map((field) => `mask ${field}`),
    ].join(', '),
});

function editsOf(
  side: string,
  edits: { setHeaders?: object | undefined; removeHeaders?: readonly string[] | undefined } = {},
): string[] {
  return [
    ...Object.keys(edits.setHeaders ?? {}).map((name) => `${side} sets ${name}`),
    ...(edits.removeHeaders ?? []).map((name) => `${side} loses ${name}`),
  ];
}

/** Edits requests and responses of a controller or handler. */
export const Transform = transformPolicy.decorator;
