import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { ConfigFault } from '../../config/config-fault.ts';
import { shownPath } from './shown-path.ts';

const FORM = /^Cannot find (?:module|package) '(.+)' imported from (.+)$/m;

/**
 * Where an import stands that leads nowhere, which Node says without its line.
 *
 * @returns undefined for any other error.
 */
export function missingImport(error: unknown): ConfigFault | undefined {
  const { code, message = '' } = (error ?? {}) as NodeJS.ErrnoException;
  const [, wanted, from] = FORM.exec(message) ?? [];
  if (code !== 'ERR_MODULE_NOT_FOUND' || wanted === undefined || from === undefined) return undefined;
  const place = placeIn(from, wanted);
  const isFile = wanted.startsWith('/') || /^[A-Za-z]:/.test(wanted);
  const text = isFile ? `there is no file ${shownPath(wanted)}` : `the package ${wanted} is not installed`;
  return { file: shownPath(from), ...place, key: '', message: `${text}, which it imports` };
}

// As it is written there: with the end of the path, or the name of the package.
function placeIn(file: string, wanted: string): { readonly line?: number; readonly column?: number } {
  const end = basename(wanted).replace(/\.\w+$/, '');
  try {
    const lines = readFileSync(file, 'utf8').split('\n');
    const line = lines.findIndex((text) => /['"]/.test(text) && /\b(?:from|import)\b/.test(text) && text.includes(end));
    return line === -1 ? {} : { line: line + 1, column: (lines[line] ?? '').indexOf(end) + 1 };
  } catch {
    return {};
  }
} // prettier-ignore
