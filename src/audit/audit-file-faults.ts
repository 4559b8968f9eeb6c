import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { AuditOptions } from './audit.schema.ts';

/** What speaks against the file of an `audit:` section before anything is written to it; undefined for nothing. */
export function auditFileFault(options: AuditOptions | undefined, folder: string): string | undefined {
  if (options?.file === undefined) return undefined;
  const file = resolve(folder, options.file);
  const found = statSync(file, { throwIfNoEntry: false });
  if (found !== undefined && !found.isFile()) return 'expected a regular file';
  try {
    accessSync(found === undefined ? dirname(file) : file, constants.W_OK);
    return undefined;
  } catch {
    return found === undefined
      ? 'expected a file in a folder that this process may write to'
      : 'no permission to write to this file';
  }
}
