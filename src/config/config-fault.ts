import { styleText } from 'node:util';
import { placesOf, type CodeSite } from './code-site.ts';

/** One thing that is wrong in the configuration: where, what was expected, and the name that was likely meant. */
export interface ConfigFault {
  /** The file as it was named to the gateway, or `environment`. */
  readonly file: string;
  /** 1-based; absent when the fault has no place in a text. */
  readonly line?: number | undefined;
  /** 1-based, in UTF-16 units. */
  readonly column?: number | undefined;
  /** The `id` of the route that the fault is in. */
  readonly routeId?: string | undefined;
  /** The path of the key, such as `routes[users].policies.rateLimit.rate`; empty for the whole file. */
  readonly key: string;
  /** What was expected, in words; never a value that may be secret. */
  readonly message: string;
  /** The nearest valid name. */
  readonly suggestion?: string | undefined;
  /** For a fault of code; {@link withPlaces} finds its line. */
  readonly code?: CodeReference | undefined;
}

/** Which code a fault is about. */
export interface CodeReference {
  /** A site, or a function or class. */
  readonly at?: CodeSite | object | undefined;
  /** What the fault is about, once its file is known: default what `file` said before. */
  readonly name?: string | undefined;
  /** The decorator that says it, such as `@Deadline`. */
  readonly decorator?: string | undefined;
}

/** Faults of code with the file and line of it, where that can be found out; what they named is a part of the key then. */
export function withPlaces(faults: readonly ConfigFault[]): readonly ConfigFault[] {
  const places = placesOf(faults.map(({ code }) => code?.at));
  return faults.map(({ code, ...fault }, index) => {
    const place = places[index];
    if (place === undefined) return fault;
    const parts = [code?.name ?? fault.file, code?.decorator, fault.key];
    return { ...fault, ...place, key: parts.filter((part) => part !== undefined && part !== '').join('  ') };
  });
}

/** Thrown when the configuration cannot be used; carries every fault, and prints them all. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** By file and position. */
  readonly faults: readonly ConfigFault[];

  constructor(faults: readonly ConfigFault[]) {
    const sorted = faults.toSorted(byPosition);
    super(formatFaults(sorted));
    this.faults = sorted;
  }
}

/**
 * Renders one line per fault, by file and position, and a last line that counts them.
 *
 * @param options.color ANSI colors; default no.
 * @param options.noun what they are called; default `fault`.
 */
export function formatFaults(
  faults: readonly ConfigFault[],
  options: { color?: boolean; noun?: 'fault' | 'warning' | 'note' } = {},
): string {
  const paint: Paint = options.color
    ? (style, text) => styleText(style, text, { validateStream: false })
    : plain;
  const lines = faults.toSorted(byPosition).map((fault) => formatFault(fault, paint));
  return [...lines, paint('bold', countFaults(faults, options.noun ?? 'fault'))].join('\n');
}

type Paint = (style: 'cyan' | 'bold' | 'green', text: string) => string;

const plain: Paint = (_style, text) => text;

function formatFault(fault: ConfigFault, paint: Paint): string {
  const place = [fault.file, fault.line, fault.column].filter((part) => part !== undefined).join(':');
  const hint =
    fault.suggestion === undefined ? '' : `; did you mean ${paint('green', `"${fault.suggestion}"`)}?`;
  const parts = [paint('cyan', place), paint('bold', fault.key), `${fault.message}${hint}`];
  return parts.filter((part) => part !== paint('bold', '')).join('  ');
}

function countFaults(faults: readonly ConfigFault[], noun: string): string {
  const count = faults.length === 1 ? `1 ${noun}` : `${faults.length} ${noun}s`;
  const files = new Set(faults.map((fault) => fault.file));
  const [file] = files;
  return files.size === 1 ? `${count} in ${file}` : count;
}

function byPosition(a: ConfigFault, b: ConfigFault): number {
  return (
    Number(a.file > b.file) - Number(a.file < b.file) ||
    (a.line ?? 0) - (b.line ?? 0) ||
    (a.column ?? 0) - (b.column ?? 0)
  );
}
