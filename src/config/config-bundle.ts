import { createHash, hash } from 'node:crypto';

/** A file that a configuration includes, as it was found. */
export interface IncludedPart {
  /** Its path from the folder of the configuration, with `/`. */
  readonly name: string;
  /** Which entry of `include` has brought it. */
  readonly entry: number;
  readonly text: string;
  /** Why it could not be read; it has no text then. */
  readonly fault?: string | undefined;
  /** What holds in its place: what it said when it was last without faults. */
  readonly used?: string | undefined;
}

/** Something wrong with what is included, by the entry of `include` that it is about. */
export interface IncludeFault {
  readonly entry: number;
  readonly message: string;
}

/** The text of a configuration, and those of the files that it includes. */
export interface ConfigBundle {
  readonly main: string;
  /** What was looked for, by entry of `include`; empty for a configuration that includes nothing. */
  readonly patterns: readonly (readonly string[])[];
  readonly parts: readonly IncludedPart[];
  readonly faults: readonly IncludeFault[];
}

interface Head {
  readonly main: number;
  readonly patterns: ConfigBundle['patterns'];
  readonly parts: readonly (Omit<IncludedPart, 'text' | 'used'> & {
    readonly text: number;
    readonly used?: number | undefined;
  })[];
  readonly faults: readonly IncludeFault[];
}

/** What a text begins with that holds several files. No file may begin with it. */
export const BUNDLE_MARK = '# gatehouse bundle ';

/**
 * One text for a configuration and what it includes: processes pass it on, and histories keep it, as they do with that of a single
 * file. A configuration without `include` is its own text.
 */
export function bundleText({ main, patterns, parts, faults }: ConfigBundle): string {
  if (patterns.length === 0) return main;
  const head: Head = {
    main: main.length,
    patterns,
    parts: parts.map(({ text, used, ...part }) => ({ ...part, text: text.length, used: used?.length })),
    faults,
  };
  const texts = parts.flatMap(({ name, text, used }) => [
    `\n# file: ${name}\n`,
    text,
    ...(used === undefined ? [] : [`\n# last good: ${name}\n`, used]),
  ]);
  return `${BUNDLE_MARK}${JSON.stringify(head)}\n${main}${texts.join('')}`;
}

/** Takes a text apart. */
export function bundleOf(text: string): ConfigBundle {
  if (!text.startsWith(BUNDLE_MARK)) return { main: text, patterns: [], parts: [], faults: [] };
  const end = text.indexOf('\n');
  const head = JSON.parse(text.slice(BUNDLE_MARK.length, end)) as Head;
  let at = end + 1;
  const take = (length: number): string => text.slice(at, (at += length));
  const skipLine = (): void => void (at = text.indexOf('\n', at + 1) + 1);
  const main = take(head.main);
  const parts = head.parts.map(({ text: length, used: usedLength, ...part }): IncludedPart => {
    skipLine();
    const found = take(length);
    if (usedLength === undefined) return { ...part, text: found };
    skipLine();
    return { ...part, text: found, used: take(usedLength) };
  });
  return { main, patterns: head.patterns, parts, faults: head.faults };
}

/** SHA-256 in hex of what is written in the files of a text, whatever holds in place of some. */
export function writtenDigest(text: string): string {
  if (!text.startsWith(BUNDLE_MARK)) return hash('sha256', text, 'hex');
  const { main, parts, faults } = bundleOf(text);
  const digest = createHash('sha256').update(`${main.length}\n${main}`);
  for (const part of parts) digest.update(`\n${JSON.stringify([part.name, part.fault, part.text])}`);
  return digest.update(JSON.stringify(faults)).digest('hex');
}
