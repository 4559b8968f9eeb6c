import { constants } from 'node:fs';
import { glob, open, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { BUNDLE_MARK, bundleText, type IncludedPart, type IncludeFault } from './config-bundle.ts';
import { ConfigError } from './config-fault.ts';
import { readText, textOf, unreadable } from './config-reader.ts';
import type { Variables } from './interpolation.ts';
import { readYaml } from './yaml-reader.ts';

/** Most files that a configuration includes. */
export const MOST_FILES = 500;
/** Most bytes of one of them. */
export const MOST_BYTES = 1024 * 1024;
/** Most bytes of all of them. */
export const MOST_BYTES_OF_ALL = 16 * 1024 * 1024;

/** Cheaper than a parser, and true for whatever says it. */
const MAY_INCLUDE = /\binclude["']?\s*:/;

/** What one entry of `include` looks for. */
interface Wanted {
  readonly patterns: readonly string[];
  /** Folders that links may lead to, besides that of the configuration. */
  readonly follow: readonly string[];
}

/**
 * The text of a configuration and of what it includes, as {@link bundleText} puts them together. What is wrong with what is
 * included is told by whoever reads that text, together with everything else.
 *
 * @throws {ConfigError} when the file itself cannot be read.
 */
export async function readConfigText(file: string, variables?: Variables): Promise<string> {
  const main = await readText(file);
  if (main.startsWith(BUNDLE_MARK)) {
    const message = `expected another first line: one that begins with "${BUNDLE_MARK.trim()}" is kept for texts of several files`;
    throw new ConfigError([{ file, line: 1, column: 1, key: '', message }]);
  }
  const wanted = wantedBy(main, file, variables);
  if (wanted.length === 0) return main;
  const patterns = wanted.map((one) => one.patterns);
  return bundleText({ main, patterns, ...(await readIncluded(dirname(file), wanted)) });
}

/** Names of files that are there now, as paths from the folder of a configuration, in their order. For whoever watches them. */
export async function namesIncluded(
  folder: string,
  patterns: readonly (readonly string[])[],
): Promise<readonly string[]> {
  const found = await Promise.all(patterns.map((some) => matching(folder, some).catch(() => [])));
  return [...new Set(found.flat())].toSorted();
}

// What is wrong with its form is told by its schema.
function wantedBy(text: string, file: string, variables?: Variables): readonly Wanted[] {
  if (!MAY_INCLUDE.test(text)) return [];
  const include: unknown = valueOf(text, file, variables)?.['include'];
  if (!Array.isArray(include)) return [];
  return include.map((entry: unknown) => {
    if (typeof entry === 'string') return { patterns: [entry], follow: [] };
    const { files, follow } = (entry ?? {}) as { files?: unknown; follow?: unknown };
    return { patterns: textsOf(files), follow: textsOf(follow) };
  });
}

function valueOf(text: string, file: string, variables?: Variables): Record<string, unknown> | undefined {
  try {
    const { value } = readYaml(text, file, variables);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function textsOf(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((one) => typeof one === 'string');
}

interface Included {
  readonly parts: readonly IncludedPart[];
  readonly faults: readonly IncludeFault[];
}

async function readIncluded(folder: string, wanted: readonly Wanted[]): Promise<Included> {
  const faults: IncludeFault[] = [];
  const entries = new Map<string, number>();
  for (const [entry, { patterns }] of wanted.entries()) {
    const strays = patterns.filter(leavesFolder);
    for (const pattern of strays)
      faults.push({
        entry,
        message: `expected a path below the folder of this file, without "..": ${pattern}`,
      });
    const names = await matching(
      folder,
      patterns.filter((one) => !strays.includes(one)),
    );
    if (names.length === 0 && strays.length === 0 && patterns.length > 0 && !patterns.some(isGlob))
      faults.push({ entry, message: `there is no file ${patterns.join(', ')}` });
    // The first entry that finds a file is the one that says what it may.
    for (const name of names) if (!entries.has(name)) entries.set(name, entry);
  }
  const found = [...entries].toSorted(([a], [b]) => Number(a > b) - Number(a < b));
  const [, lastEntry = 0] = found[MOST_FILES] ?? [];
  if (found.length > MOST_FILES)
    faults.push({ entry: lastEntry, message: `expected at most ${MOST_FILES} files, found ${found.length}` });
  const budget = { left: MOST_BYTES_OF_ALL };
  const parts: IncludedPart[] = [];
  for (const [name, entry] of found.slice(0, MOST_FILES))
    parts.push(await partOf(folder, { name, entry, follow: wanted[entry]?.follow ?? [] }, budget));
  return { parts, faults };
}

function leavesFolder(pattern: string): boolean {
  return isAbsolute(pattern) || pattern.split(/[\\/]/).includes('..');
}

function isGlob(pattern: string): boolean {
  return /[*?[{]/.test(pattern);
}

// What a ConfigMap keeps its versions in begins with a dot, and holds every file once more.
async function matching(folder: string, patterns: readonly string[]): Promise<readonly string[]> {
  const names: string[] = [];
  const safe = patterns.filter((one) => !leavesFolder(one));
  for (const pattern of safe) {
    for await (const name of glob(pattern, { cwd: folder })) {
      const path = name.split(sep).join('/');
      const isHidden = path.split('/').some((part) => part.startsWith('.') && part !== '.');
      if (!isHidden && !/\p{Cc}/u.test(path)) names.push(path);
    }
  }
  return [...new Set(names)].toSorted();
}

interface Named {
  readonly name: string;
  readonly entry: number;
  readonly follow: readonly string[];
}

async function partOf(
  folder: string,
  { name, entry, follow }: Named,
  budget: { left: number },
): Promise<IncludedPart> {
  const path = join(folder, name);
  const refused = (fault: string): IncludedPart => ({ name, entry, text: '', fault });
  try {
    const real = await realWithin(folder, path, follow);
    if (real === undefined)
      return refused(
        'leads out of the folder of the configuration; name the folder it leads to under `follow`',
      );
    const found = await readOnce(real, budget.left);
    if ('fault' in found) return refused(found.fault);
    budget.left -= found.bytes.length;
    return { name, entry, text: textOf(found.bytes, path) };
  } catch (error) {
    const [fault] = error instanceof ConfigError ? error.faults : [];
    return refused(fault?.message ?? unreadable(error));
  }
}

// A link that has come since leads nowhere.
const HOW = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

type Found = { readonly bytes: Buffer } | { readonly fault: string };

/**
 * Reads what stands at a path now, once: whoever writes there can put something else in its place between two looks, or add to it
 * while it is read. Nobody waits for the other end of a pipe.
 */
async function readOnce(path: string, most: number): Promise<Found> {
  const file = await open(path, HOW);
  try {
    const found = await file.stat();
    if (!found.isFile()) return { fault: 'expected a file' };
    const tooLarge = (size: number): Found | undefined => {
      if (size > MOST_BYTES) return { fault: `expected at most ${MOST_BYTES} bytes, found ${size}` };
      if (size <= most) return undefined;
      return { fault: `expected at most ${MOST_BYTES_OF_ALL} bytes in all included files` };
    };
    const bytes = Buffer.alloc(Math.min(found.size, MOST_BYTES) + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      ({ bytesRead: read } = await file.read(bytes, length, bytes.length - length, length));
    const refused = tooLarge(Math.max(found.size, length));
    if (refused !== undefined) return refused;
    if (length > found.size) return { fault: 'is being written; it is read again when it is whole' };
    return { bytes: bytes.subarray(0, length) };
  } finally {
    await file.close();
  }
}

/** Where a path leads to; undefined where that is outside of the folders. */
async function realWithin(
  folder: string,
  path: string,
  follow: readonly string[],
): Promise<string | undefined> {
  const real = await realpath(path);
  for (const allowed of [folder, ...follow.map((one) => (isAbsolute(one) ? one : join(folder, one)))]) {
    const root = await realpath(allowed).catch(() => undefined);
    if (root === undefined) continue;
    const way = relative(root, real);
    if (way !== '' && way.split(sep)[0] !== '..' && !isAbsolute(way)) return real;
  }
  return undefined;
}
