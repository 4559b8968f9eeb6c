import { z } from 'zod';
import { size } from '../../config/units.ts';
import type { ProblemCode } from '../../problems/catalogue.ts';
import { parseTemplate } from '../../template/parse-template.ts';
import { definePolicy } from '../policy.ts';
import { perTargetSchema, requestEditKeys, responseEditKeys } from './header-edits.schema.ts';
import type { HeaderEditOptions } from './header-edits.ts';
import type { TargetEditOptions } from './target-edits.ts';

/** Edits of request and response on their way through. */
export const transformPolicy = definePolicy({
  name: 'transform',
  schema: z.strictObject({
    request: z.strictObject(requestEditKeys).describe('Edits on the way to the upstream.').optional(),
    response: z
      .strictObject({
        ...responseEditKeys,
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
    perTarget: perTargetSchema.optional(),
  }),
  summary: 'Edits the header of request and response, and removes fields from JSON answers.',
  per: 'connection',
  before: 'body',
  refusesWith: ['request-invalid', 'permission-denied', 'upstream-response-invalid'],
  refuses: ({ request, response }, door) => [
    ...(door === 'handler' ? [] : missingCodes(request)),
    ...(door === 'handler' || response?.maskFields === undefined
      ? []
      : (['upstream-response-invalid'] as const)),
  ],
  describe: ({ request, response, perTarget = [] }) =>
    [
      ...editsOf('request', request),
      ...editsOf('response', response),
      ...perTarget.flatMap((one) => [
        ...editsOf(`request to ${labelsOf(one)}`, one.request),
        ...editsOf(`response of ${labelsOf(one)}`, one.response),
      ]),
      ...(response?.maskFields ?? []).map((field) => `mask ${field}`),
    ].join(', '),
});

function editsOf(side: string, edits: HeaderEditOptions = {}): string[] {
  return [
    ...(edits.removeHeaders ?? []).map((name) => `${side} loses ${name}`),
    ...Object.entries(edits.renameHeaders ?? {}).map(([from, to]) => `${side} renames ${from} to ${to}`),
    ...Object.keys(edits.setHeaders ?? {}).map((name) => `${side} sets ${name}`),
    ...Object.keys(edits.addHeaders ?? {}).map((name) => `${side} adds ${name}`),
  ];
}

function labelsOf({ labels }: TargetEditOptions): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? 'any target' : pairs.join(' ');
}

/** What is said of a value that is missing and has no default. */
function missingCodes({ setHeaders = {}, addHeaders = {} }: HeaderEditOptions = {}): ProblemCode[] {
  const values = [...Object.values(setHeaders), ...Object.values(addHeaders)];
  const needed = values.flatMap((text) =>
    parseTemplate(text).placeholders.filter(({ fallback }) => fallback === undefined),
  );
  const isOfPrincipal = ({ name }: { readonly name: string }): boolean => name.startsWith('principal.');
  return [
    ...(needed.every(isOfPrincipal) ? [] : (['request-invalid'] as const)),
    ...(needed.some(isOfPrincipal) ? (['permission-denied'] as const) : []),
  ];
}

/** Edits requests and responses of a controller or handler. */
export const Transform = transformPolicy.decorator;
