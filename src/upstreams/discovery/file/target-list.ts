import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';
import { schemeFault, targetSchema, type TargetOptions } from '../../target.schema.ts';
import { MAX_ENTRIES, Unknown } from '../discovery-source.ts';

/** What the targets of a file have to be reached with. */
export interface ListOptions {
  readonly protocol: 'http' | 'grpc';
  readonly tls?: unknown;
}

const MAX_BYTES = 16 * 1024 * 1024;

const listSchema = z.array(targetSchema).max(MAX_ENTRIES);
const fileSchema = z.union([listSchema, z.strictObject({ targets: listSchema })]);

/** The targets that a JSON text lists. @throws {Unknown} when it is no list of targets, with the place. */
export function targetsIn(text: string, options: ListOptions): readonly TargetOptions[] {
  const read = fileSchema.safeParse(parsed(text));
  if (!read.success) throw new Unknown(`the file is no list of targets: ${placeOf(read.error)}`);
  const targets = Array.isArray(read.data) ? read.data : read.data.targets;
  targets.forEach((target, index) => {
    const message = schemeFault(target, options);
    if (message !== undefined) throw new Unknown(`the file is no list of targets: [${index}]: ${message}`);
  });
  return targets.map((target) => ({ ...target, url: target.url.replace(/\/$/, '') }));
}

/** The text of a file of targets. @throws {Unknown} when it cannot be read, or is too large. */
export async function textIn(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES) throw new Unknown('the file is larger than 16MiB');
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Unknown) throw error;
    const { code } = error as NodeJS.ErrnoException;
    throw new Unknown(`the file cannot be read: ${code ?? 'unknown fault'}`, { cause: error });
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Unknown('the file is no JSON', { cause: error });
  }
}

// Of alternatives the one that got furthest: an entry is told by its place, not by all it might have been.
function placeOf(error: z.ZodError): string {
  let best = { depth: -1, text: 'invalid' };
  const look = (issues: readonly z.core.$ZodIssue[], path: readonly PropertyKey[]): void => {
    for (const issue of issues) {
      const whole = [...path, ...issue.path];
      if (issue.code === 'invalid_union') for (const branch of issue.errors) look(branch, whole);
      if (whole.length > best.depth)
        best = { depth: whole.length, text: `${shown(whole)}: ${issue.message}` };
    }
  };
  look(error.issues, []);
  return best.text;
}

function shown(path: readonly PropertyKey[]): string {
  return (
    path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('') || 'the whole'
  );
}
