import { z } from 'zod';
import { compileRule } from '../../conditions/condition.ts';
import { size } from '../../config/units.ts';
import { GRAPHQL_HTTP, SOCKETS, unfitFor } from '../doors.ts';
import { definePolicy } from '../policy.ts';

/** A condition on what a JSON body says. */
export const bodyAuthorizationPolicy = definePolicy({
  name: 'bodyAuthorization',
  schema: z
    .strictObject({
      when: z
        .string()
        .superRefine((text, context) => {
          try {
            compileRule(text, { body: true });
          } catch (error) {
            context.addIssue({ code: 'custom', message: (error as Error).message });
          }
        })
        .describe(
          'A condition in CEL that has to hold, over body, and what `authorization.when` knows. What cannot be told is refused.',
        ),
      maxBody: size.default(64 * 1024).describe('Largest body that is held to be looked at. Default 64KiB.'),
      mode: z
        .enum(['enforce', 'shadow'])
        .default('enforce')
        .describe(
          'What becomes of a request that the condition does not hold for: `enforce` refuses it, `shadow` lets it pass, and logs and counts it. Default enforce.',
        ),
    })
    .describe('What has to hold of the JSON body.'),
  step: 'authorize body',
  summary:
    'Says what has to hold of the JSON body of a request, together with who calls. The body is held until it is whole, looked at, and passed on byte by byte as it came.',
  per: 'connection',
  before: 'action',
  guards: true,
  refusesWith: ['permission-denied', 'media-type-unsupported', 'request-invalid', 'body-too-large'],
  refuses: ({ mode }) =>
    mode === 'shadow'
      ? []
      : ['permission-denied', 'media-type-unsupported', 'request-invalid', 'body-too-large'],
  describe: ({ when, mode }) => `when(${when})${mode === 'shadow' ? ' shadow' : ''}`,
  unfit: {
    ...unfitFor(GRAPHQL_HTTP, 'the body is a document; conditions on arguments stand on its fields'),
    ...unfitFor(SOCKETS, 'a handshake has no body, and messages are looked at by nobody'),
    aggregated: 'it answers GET only, whose bodies nobody reads',
    passedGrpc: 'calls of gRPC are passed on unread, and their messages are no JSON',
    view: 'it answers GET only, whose bodies nobody reads',
    viewStream: 'it answers GET only, whose bodies nobody reads',
  },
});

/** Says what has to hold of the JSON body that a handler is called with. */
export const BodyAuthorization = bodyAuthorizationPolicy.decorator;
