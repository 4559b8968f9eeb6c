import { z } from 'zod';
import { size } from '../../config/units.ts';
import type { ProblemCode } from '../../problems/catalogue.ts';
import { parseTemplate } from '../../templates/parse-template.ts';
import { definePolicy } from '../policy.ts';
import { idleEdits } from './idle-edits.ts';
import { BodyPathError } from './body-path.ts';
import { bodyOperation, type BodyOperation } from './body-operations.ts';
import { compileFieldMask } from './field-mask.ts';
import { perTargetSchema, requestEditKeys, responseEditKeys } from './header-edits.schema.ts';
import type { HeaderEditOptions } from './header-edits.ts';
import type { TargetEditOptions } from './target-edits.ts';

const maxBody = size
  .default(2 ** 20)
  .describe('Largest body that is held back for masking and editing, decoded too. Default 1MiB.');
const onFault = z
  .enum(['fail', 'pass'])
  .default('fail')
  .describe(
    'What becomes of a body that is to be edited and is larger, or cannot be read: it is refused, or passes as it is. Default fail.',
  );
const body = z
  .array(bodyOperation)
  .min(1)
  .describe(
    'Operations on JSON, one after the other: keep, remove, rename, move, default, wrap, unwrap. Paths: a.b[].c.',
  )
  .optional();

const maskedField = z.string().superRefine((field, context) => {
  try {
    compileFieldMask([field]);
  } catch (error) {
    if (!(error instanceof BodyPathError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
  }
});
const roleName = z.string().min(1);
const maskedByRole = z.strictObject({
  fields: z.array(maskedField).min(1).describe('JSON fields to remove.'),
  unless: z
    .strictObject({
      role: z.union([roleName, z.array(roleName).min(1)]).describe('One of these roles.'),
    })
    .describe('Who sees the fields all the same.'),
});

/** Edits of request and response on their way through. */
export const transformPolicy = definePolicy({
  name: 'transform',
  schema: z.strictObject({
    request: z
      .strictObject({ ...requestEditKeys, body, maxBody, onFault })
      .describe('Edits on the way to the upstream.')
      .optional(),
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
          .array(z.union([maskedField, maskedByRole]))
          .min(1)
          .describe(
            'JSON fields to remove at every depth; a path (`user.internal`) removes only there, { fields, unless: { role } } not for callers with a role. Holds back every body that may be JSON.',
          )
          .optional(),
        body,
        template: z
          .record(z.string(), z.unknown())
          .describe(
            'Shape of answers of success, after all else. Texts name values: `body.user.name`, `id` of the path, `principal.id`.',
          )
          .optional(),
        maxBody,
        onFault,
      })
      .refine((one) => one.maskFields === undefined || one.onFault === 'fail', {
        path: ['onFault'],
        error: 'expected `fail` beside `maskFields`: what cannot be masked is not sent',
      })
      .describe('Edits on the way to the client.')
      .optional(),
    perTarget: perTargetSchema.optional(),
  }),
  summary:
    'Edits the header of request and response, masks fields of JSON answers, and reshapes the JSON of both.',
  per: 'connection',
  before: 'body',
  guards: true,
  refusesWith: [
    'request-invalid',
    'permission-denied',
    'body-too-large',
    'media-type-unsupported',
    'upstream-response-invalid',
  ],
  refuses: ({ request, response }, door) => [
    ...(door === 'handler' ? [] : missingCodes(request)),
    ...(request?.body === undefined || request.onFault === 'pass'
      ? []
      : (['request-invalid', 'body-too-large', 'media-type-unsupported'] as const)),
    ...(door === 'handler' || !editsAnswers(response) ? [] : (['upstream-response-invalid'] as const)),
  ],
  idle: idleEdits,
  describe: ({ request, response, perTarget = [] }) =>
    [
      ...editsOf('request', request),
      ...editsOf('response', response),
      ...perTarget.flatMap((one) => [
        ...editsOf(`request to ${labelsOf(one)}`, one.request),
        ...editsOf(`response of ${labelsOf(one)}`, one.response),
      ]),
      ...operationsOf('request', request?.body),
      ...(response?.maskFields ?? []).map((field) =>
        typeof field === 'string'
          ? `mask ${field}`
          : `mask ${field.fields.join(' ')} unless ${[field.unless.role].flat().join(' or ')}`,
      ),
      ...operationsOf('response', response?.body),
      ...(response?.template === undefined ? [] : ['response has a template']),
    ].join(', '),
});

function editsAnswers(response: { maskFields?: unknown; body?: unknown; template?: unknown } = {}): boolean {
  return [response.maskFields, response.body, response.template].some((edit) => edit !== undefined);
}

function operationsOf(side: string, operations: readonly BodyOperation[] = []): string[] {
  return operations.map((operation) => `${side} body ${Object.keys(operation).join()}`);
}

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
