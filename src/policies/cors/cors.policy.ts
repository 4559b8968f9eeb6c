import { z } from 'zod';
import { patternText } from '../../config/linear-pattern.ts';
import { duration, durationText } from '../../config/units.ts';
import { SOCKETS, unfitFor } from '../doors.ts';
import { definePolicy } from '../policy.ts';
import { originFault, takesEveryone, type OriginRule } from './origin-rules.ts';

const token = z
  .string()
  .regex(/^[!#$%&'+.^_`|~0-9A-Za-z-]+$/, 'expected a name, such as X-Request-Id; no `*`');

const originText = z.string().superRefine((text, context) => {
  const message = originFault(text);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

const origins = z
  .union([
    z.literal('*'),
    z.array(z.union([originText, z.strictObject({ regex: patternText('not in RE2 syntax: ') })])).min(1),
  ])
  .describe(
    'Origins whose pages may call: exact (https://app.example.com), with a wildcard for one or more labels of the host (https://*.example.com), `{ regex }` in RE2 syntax, which has to match the whole origin, or `*` for all.',
  );

/** Which pages of other origins may call, and what of an answer they may read. */
export const corsPolicy = definePolicy({
  name: 'cors',
  schema: z
    .strictObject({
      origins,
      credentials: z
        .boolean()
        .default(false)
        .describe('Whether pages may send cookies and the like; never with `*`. Default no.'),
      methods: z
        .array(token)
        .min(1)
        .optional()
        .describe('Methods that are granted. Default: whichever the route takes.'),
      headers: z
        .array(token)
        .optional()
        .describe('Request header fields that are granted. Default: those that the page asks for.'),
      exposedHeaders: z
        .array(token)
        .default([])
        .describe('Answer header fields that pages may read besides the simple ones. Default none.'),
      maxAge: duration
        .optional()
        .describe('How long a browser may remember a grant. Default: what browsers do by themselves, 5s.'),
      privateNetwork: z
        .boolean()
        .default(false)
        .describe('Whether public pages may call where this is a private network. Default no.'),
    })
    .superRefine(({ origins: rules, credentials }, context) => {
      // Fails closed: it would give every page of the world what the user may see.
      if (credentials && takesEveryone(originRules(rules)))
        context.addIssue({
          code: 'custom',
          path: ['origins'],
          message:
            'expected a list of origins: `credentials` never go with `*`, nor with a pattern that takes any origin',
        });
      if (credentials && originRules(rules).includes('null'))
        context.addIssue({
          code: 'custom',
          path: ['origins'],
          message:
            'expected no `null`: any page can have that origin, so that `credentials` never go with it',
        });
    }),
  summary:
    'Lets pages of other origins call (CORS). The preflight of a browser is answered by the gateway, before anybody is asked who calls, for the route that takes the method that the page has in mind. Answers, refusals and faults of the gateway carry the grant, so that a page can read why it was refused; what services say about CORS is replaced. A page of an origin that is not listed gets no grant, and nothing else changes for it.',
  per: 'connection',
  before: 'identity',
  refusesWith: [],
  describe: ({ origins: rules, credentials, maxAge }) =>
    [
      originRules(rules)
        .map((rule) => (typeof rule === 'string' ? rule : `/${rule.regex}/`))
        .join(' '),
      ...(credentials ? ['with credentials'] : []),
      ...(maxAge === undefined ? [] : [`for ${durationText(maxAge)}`]),
    ].join(', '),
  unfit: unfitFor(
    SOCKETS,
    'browsers ask for no leave before a WebSocket; who may open one is said by its own list of origins',
  ),
});

/** The origins as a list. */
export function originRules(rules: '*' | readonly OriginRule[]): readonly OriginRule[] {
  return rules === '*' ? ['*'] : rules;
}

/** Lets pages of other origins call a controller or handler. */
export const Cors = corsPolicy.decorator;
