import { z } from 'zod';
import { foldName, isIdentityName } from '../../exchange/reserved-names.ts';
import { compileSource } from '../../templates/source.ts';
import { parseTemplate } from '../../templates/parse-template.ts';
import { TemplateError } from '../../templates/template-fault.ts';
import { TOKEN } from '../../config/field-name.ts';

const MAX_LABELS = 16;
const MAX_TARGET_EDITS = 32;

const headerName = z.string().regex(TOKEN, 'expected a header field name');
const headerText = z.string().regex(/^[\t\x20-\x7e\x80-\xff]*$/, 'expected a header field value on one line');

/** Folded names of fields that frame the message or concern one connection: HTTP itself answers for them. */
const FRAMING: ReadonlySet<string> = new Set(
  ['connection', 'content-length', 'expect', 'http2-settings', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'].map(foldName), // prettier-ignore
);
/** Folded names of what the gateway says of each request, besides who calls. */
const OURS: ReadonlySet<string> = new Set(
  ['x-request-id', 'x-request-deadline-ms', 'traceparent', 'tracestate'].map(foldName),
);
/** Of the names that are reserved for the gateway's word those that it says nothing with by itself. */
const UNSAID: ReadonlySet<string> = new Set(
  ['x-real-ip', 'x-forwarded-port', 'x-forwarded-prefix', 'x-forwarded-server', 'x-forwarded-ssl'].map(
    foldName,
  ),
);

const requestFault = (name: string): string | undefined => {
  const folded = foldName(name);
  if (FRAMING.has(folded)) return 'expected a header field that does not frame the message';
  if (folded === 'host') return 'expected another header field: `host` of the route says what Host is';
  if (OURS.has(folded)) return `expected another header field: ${name} is the gateway's to say`;
  if (isIdentityName(folded) && !UNSAID.has(folded))
    return `expected another header field: who calls, and from where, is the gateway's to say, so is ${name}`;
  return undefined;
};
const responseFault = (name: string): string | undefined =>
  FRAMING.has(foldName(name)) ? 'expected a header field that does not frame the message' : undefined;

/** The keys that edit the header fields of one direction. */
function editKeys(faultOf: (name: string) => string | undefined, hasTarget: boolean) {
  const settable = headerName.superRefine((name, context) => {
    const message = faultOf(name);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
  const value = headerText.superRefine((text, context) => {
    const fault = templateFault(text, hasTarget);
    if (fault !== undefined) context.addIssue({ code: 'custom', ...fault });
  });
  const once = <Fields extends Readonly<Record<string, string>>>(schema: z.ZodType<Fields>) =>
    schema.refine(
      (fields) =>
        new Set(Object.keys(fields).map((name) => name.toLowerCase())).size === Object.keys(fields).length,
      'expected each header field once, in whatever letters',
    );
  return {
    setHeaders: once(z.record(settable, value))
      .describe('Header fields to set, with {name} for values; a field of that name is replaced.')
      .optional(),
    addHeaders: once(z.record(settable, value))
      .describe('Header fields to add beside those of their names, with {name} for values.')
      .optional(),
    renameHeaders: once(z.record(headerName, settable))
      .describe('New names by the names that header fields have; what had a new name is replaced.')
      .optional(),
    removeHeaders: z.array(headerName).describe('Header fields to remove.').optional(),
  };
}

function templateFault(
  text: string,
  hasTarget: boolean,
): { message: string; params: { suggestion: string | undefined } } | undefined {
  try {
    for (const { name } of parseTemplate(text).placeholders) compileSource(name, { hasTarget });
    return undefined;
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    return { message: error.message, params: { suggestion: error.suggestion } };
  }
}

/** Edits of the fields of requests. */
export const requestEditKeys = editKeys(requestFault, false);

/** Edits of the fields of answers. */
export const responseEditKeys = editKeys(responseFault, false);

/** Edits for targets with certain labels. */
export const perTargetSchema = z
  .array(
    z.strictObject({
      labels: z
        .record(z.string(), z.string())
        .refine((labels) => Object.keys(labels).length <= MAX_LABELS, `expected at most ${MAX_LABELS} labels`)
        .default({})
        .describe('Labels that a target must have, all of them. Default none: every target.'),
      request: z
        .strictObject(editKeys(requestFault, true))
        .describe('Edits on the way to such a target, after those of `request`.')
        .optional(),
      response: z
        .strictObject(editKeys(responseFault, true))
        .describe('Edits of what such a target answers, before those of `response`.')
        .optional(),
    }),
  )
  .min(1)
  .max(MAX_TARGET_EDITS)
  .describe('Edits by the labels of the target that is asked; {target.label.NAME} is one of its labels.');
