import { z } from 'zod';
import { size } from '../config/units.ts';
import { AUDIT_KINDS } from './audit-event.ts';

const denials = z
  .strictObject({
    perAddress: z
      .int()
      .min(1)
      .max(100_000)
      .default(5)
      .describe('Most events of one address, or /64 of IPv6, and one reason in a second. Default 5.'),
    perSecond: z
      .int()
      .min(1)
      .max(100_000)
      .default(50)
      .describe('Most events of all addresses in a second. Default 50.'),
  })
  .prefault({})
  .describe('How many denials are written one by one; the others are counted in events of their own.');

/** The `audit:` section of the configuration. */
export const auditSchema = z
  .strictObject({
    to: z
      .enum(['stderr', 'stdout', 'file'])
      .optional()
      .describe(
        'Where events go: `stdout` is the stream of the log. Default `file` with a file, else `stderr`.',
      ),
    file: z
      .string()
      .min(1)
      .optional()
      .describe('The file that lines are added to; relative to the configuration file. Made with mode 0600.'),
    events: z
      .array(z.enum(AUDIT_KINDS))
      .min(1)
      .default([...AUDIT_KINDS])
      .describe('What is written. Default all.'),
    denials,
    buffer: size
      .refine((bytes) => bytes >= 65_536 && bytes <= 2 ** 30, 'expected 64KiB to 1GiB')
      .default(4 * 2 ** 20)
      .describe('What may wait to be written; later events are lost, and counted. Default 4MiB.'),
    onFailure: z
      .enum(['continue', 'refuse'])
      .default('continue')
      .describe(
        'What becomes of requests and orders while events cannot be written: `continue`, or `refuse` with 503. Default continue.',
      ),
  })
  .superRefine(({ to, file, onFailure }, context) => {
    const fault = (key: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [key], message });
    if (to === 'file' && file === undefined) fault('to', 'expected a `file` beside `to: file`');
    if (to !== undefined && to !== 'file' && file !== undefined)
      fault('file', `expected no file, because events go to ${to}`);
    // Whoever reads the log may be slow; it is dropped then, and nobody is told in time.
    if (to === 'stdout' && onFailure === 'refuse')
      fault(
        'onFailure',
        'expected `continue`: whether the log is written is not known; write to stderr or to a file',
      );
  })
  .transform(({ to, ...rest }) => ({ ...rest, to: to ?? (rest.file === undefined ? 'stderr' : 'file') }))
  .describe('What is taken note of, for those who have to account for it, and where. Absent: nothing.');

/** What the configuration says about the audit. */
export type AuditOptions = z.output<typeof auditSchema>;
