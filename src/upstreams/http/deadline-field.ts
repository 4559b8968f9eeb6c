import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { fieldNameOf } from './field-names.ts';
import { TOKEN } from '../../config/field-name.ts';

/** What a target would hear too late: the way there takes a while, too. */
const RESERVE_MS = 5;
const UNITS_MS = { ms: 1, s: 1000 } as const;
/** Whole units or parts of them; nothing that somebody reads as an instant. */
const TIME = /^\d{1,9}(?:\.\d{1,3})?$/;

/** The `deadlineHeader:` key of an upstream. */
export const deadlineHeaderSchema = z
  .strictObject({
    name: z
      .string()
      .regex(TOKEN, 'expected a header field name')
      .toLowerCase()
      .refine(
        (name) => fieldNameOf(name).fate === 'pass' && !FRAMING.has(name),
        'expected the name of a field that means nothing else',
      )
      .describe('Name of the field, such as X-Request-Timeout.'),
    unit: z.enum(['ms', 's']).describe('What it counts: `ms`, or `s`, of which a part is a whole one.'),
  })
  .describe(
    'A header field by which every attempt is told how much of the deadline is left. One that a client sends only shortens the deadline. Default none, besides X-Request-Deadline-Ms.',
  );

const FRAMING: ReadonlySet<string> = new Set(['content-length', 'content-type', 'authorization', 'cookie']);

/** A header field that tells a target how long somebody waits for its answer. */
export class DeadlineField {
  readonly name: string;
  readonly #unitMs: number;

  constructor({ name, unit }: z.output<typeof deadlineHeaderSchema>) {
    this.name = name;
    this.#unitMs = UNITS_MS[unit];
  }

  /**
   * The fields of one attempt: no other of that name is among them.
   *
   * @param leftMs until the deadline; for `Infinity` nothing is told.
   */
  fieldsOf(fields: readonly string[], leftMs: number): string[] {
    const out: string[] = [];
    for (let i = 0; i < fields.length; i += 2) {
      if ((fields[i] as string).toLowerCase() !== this.name)
        out.push(fields[i] as string, fields[i + 1] as string);
    }
    if (leftMs !== Infinity) out.push(this.name, this.#text(Math.max(0, leftMs - RESERVE_MS)));
    return out;
  }

  /** What a client says of its own patience, in ms; `Infinity` for nothing that can be read. */
  readonly patienceOf = ({ headers }: IncomingMessage): number => {
    const value = headers[this.name];
    return typeof value === 'string' && TIME.test(value) ? Number(value) * this.#unitMs : Infinity;
  };

  // Less than a second is a second: who reads 0 would refuse what there is time for.
  #text(ms: number): string {
    return String(this.#unitMs === 1 ? Math.floor(ms) : Math.ceil(ms / this.#unitMs));
  }
}

/** The field that tells every target. */
export const DEADLINE_FIELD = 'x-request-deadline-ms';

/** Tells another attempt how much is left by now, where the first one was told. */
export function retellDeadline(fields: string[], leftMs: number): void {
  const at = fields.indexOf(DEADLINE_FIELD);
  if (at >= 0 && at % 2 === 0) fields[at + 1] = String(Math.max(0, Math.floor(leftMs)));
}
