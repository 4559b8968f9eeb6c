import { z } from 'zod';
import { duration, percentage, size } from '../config/units.ts';
import { TemplateError } from '../templates/template-fault.ts';
import { compileTemplate, type Place, type Template } from '../templates/template.ts';

const MOST_FIELDS = 20;
const KIB = 2 ** 10;
const MIB = 2 ** 20;
const LEAST_BUFFER_BYTES = 256 * KIB;
const MOST_BUFFER_BYTES = 1024 * MIB;

/** A line of the log, which quotes whatever stands there by itself. */
const LINE: Place = { write: (text) => text, misfit: 'cannot be in a line of the log' };

/**
 * Compiles what a field of access lines holds. Parameters of the path have no meaning there, for routes differ in theirs.
 *
 * @throws {TemplateError} for what does not parse, or names nothing.
 */
export function compileLogField(template: string): Template {
  return compileTemplate(template, { parameters: [], hasTarget: true }, LINE);
}

const field = z.string().superRefine((text, context) => {
  try {
    compileLogField(text);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const { message, suggestion } = error;
    context.addIssue({ code: 'custom', message, params: { suggestion } });
  }
});

/** The `logs:` section: what access lines look like, and which are kept. */
export const logsSchema = z
  .strictObject({
    format: z
      .enum(['json', 'ecs', 'combined'])
      .default('json')
      .describe(
        'What access lines look like: `json` in names of our own, `ecs` in those of the Elastic Common Schema, `combined` as Apache and nginx write it. Default json.',
      ),
    sample: z
      .strictObject({
        successes: percentage.describe('Which part of the lines of successes is kept, such as 1%.'),
        slow: duration
          .prefault('1s')
          .describe('From which duration on an exchange is slow, and its line kept in any case. Default 1s.'),
      })
      .optional()
      .describe(
        'Keeps a part of the access lines of successes, by chance, and all of errors, refusals and slow exchanges. `standsFor` in each line says how many it stands for. Default: all are kept.',
      ),
    fields: z
      .record(
        z.string().regex(/^[A-Za-z]\w{0,39}$/, 'expected letters, digits and underscores, 40 at most'),
        field,
      )
      .refine((fields) => Object.keys(fields).length <= MOST_FIELDS, `expected at most ${MOST_FIELDS} fields`)
      .default({})
      .describe(
        'More fields of access lines, by name: texts with {principal.tenant}, {request.header.accept-language} and the like. Default none.',
      ),
    buffer: size
      .refine(
        (bytes) => bytes >= LEAST_BUFFER_BYTES && bytes <= MOST_BUFFER_BYTES,
        'expected a size between 256KiB and 1GiB',
      )
      .prefault('64MiB')
      .describe(
        'What may wait in memory while nobody reads the log, in each process; lines beyond that are dropped and counted. Default 64MiB.',
      ),
  })
  .prefault({})
  .describe('The access lines of the log.');

/** What the configuration says about access lines. */
export type LogsOptions = z.output<typeof logsSchema>;
