import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { PlainFault } from '../telemetry/error-facts.ts';
import {
  endSchema,
  exchangeSchema,
  FORMAT,
  headerSchema,
  VERSION,
  type RecordedExchange,
} from '../record/sample-format.ts';

/** A file that is no sample. */
export class SampleFault extends PlainFault {}

/** One line of a sample: an exchange, or why it is none. */
export type SampleLine =
  | { readonly line: number; readonly exchange: RecordedExchange }
  | { readonly line: number; readonly fault: string };

const LONGEST_LINE = 4 * 1024 * 1024;

/**
 * Reads the exchanges of a sample, one by one.
 *
 * @throws {SampleFault} for a file that cannot be read, or is no sample of this version.
 */
export async function* readSample(file: string): AsyncGenerator<SampleLine> {
  const lines = createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity });
  let line = 0;
  try {
    for await (const text of lines) {
      line += 1;
      if (line === 1) checkHeader(file, text);
      const read = line === 1 ? undefined : readLine(text);
      if (read !== undefined) yield { line, ...read };
    }
  } catch (error) {
    if (error instanceof SampleFault) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new SampleFault(
      code === 'ENOENT' ? `there is no file ${file}` : `${file} cannot be read (${code ?? 'unknown'})`,
    );
  }
  if (line === 0) throw new SampleFault(`${file} is empty; make a sample with gatehouse record`);
}

function checkHeader(file: string, text: string): void {
  const header = headerSchema.safeParse(parsed(text));
  if (header.success) return;
  const { format, version } = (parsed(text) ?? {}) as {
    readonly format?: unknown;
    readonly version?: unknown;
  };
  const isOther = format === FORMAT && version !== VERSION;
  const what = isOther
    ? `is a sample of another version (${String(version)}), and expected is ${VERSION}`
    : 'is no sample of gatehouse record';
  throw new SampleFault(`${file} ${what}`);
}

function readLine(
  text: string,
): { readonly exchange: RecordedExchange } | { readonly fault: string } | undefined {
  // A sign of life of a recording with nothing to record.
  if (text === '') return undefined;
  if (text.length > LONGEST_LINE) return { fault: 'the line is too long' };
  const value = parsed(text);
  if (endSchema.safeParse(value).success) return undefined;
  const read = exchangeSchema.safeParse(value);
  if (read.success) return { exchange: read.data };
  const [issue] = read.error.issues;
  return {
    fault:
      value === undefined ? 'the line is no JSON' : `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`,
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
