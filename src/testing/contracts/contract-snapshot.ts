import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { textDiff } from '../../snapshot/text-diff.ts';
import { ExpectationError, TestingError } from '../testing-error.ts';

/** The variable that has snapshots written instead of compared. */
const UPDATE = 'UPDATE_CONTRACTS';
const MOST_LINES = 200;

/** A contract, and the file that it is kept in. */
export interface ContractSnapshot {
  readonly file: string | URL;
  /** As it is now. */
  readonly text: string;
  /** What brings the text of the file into the same order. @throws for what is none. */
  read(text: string): string;
}

/**
 * Compares a contract with the one that is kept; with `UPDATE_CONTRACTS=1` in the environment it is written.
 *
 * @throws {ExpectationError} with the lines that differ, and how they are accepted.
 * @throws {TestingError} when there is no file, or it holds none.
 */
export async function expectContract({ file, text, read }: ContractSnapshot): Promise<void> {
  const path = typeof file === 'string' ? file : fileURLToPath(file);
  if (process.env[UPDATE] === '1') {
    await mkdir(dirname(path), { recursive: true });
    return writeFile(path, text);
  }
  const kept = readKept(path, await contentOf(path), read);
  if (kept === text) return;
  const diff = await textDiff({ name: path, text: kept }, { name: 'now', text });
  throw new ExpectationError(
    [`the contract has changed; ${UPDATE}=1 accepts it:`, shown(diff ?? 'too much to be shown')].join('\n'),
  );
}

async function contentOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new TestingError(`there is no contract in ${path}; ${UPDATE}=1 writes it`, { cause: error });
  }
}

function readKept(path: string, text: string, read: (text: string) => string): string {
  try {
    return read(text);
  } catch (error) {
    throw new TestingError(`${path} holds no contract: ${(error as Error).message}; ${UPDATE}=1 writes it`, {
      cause: error,
    });
  }
}

function shown(diff: string): string {
  const lines = diff.trimEnd().split('\n').filter((line) => !line.startsWith('==='));
  if (lines.length <= MOST_LINES) return lines.join('\n');
  return [...lines.slice(0, MOST_LINES), `… and ${lines.length - MOST_LINES} more lines`].join('\n');
} // prettier-ignore
