/** What differs from run to run, and how it is recognized; whether the same text of a page stands for the same text of an output. */
const VARYING: readonly (readonly [pattern: string, isBound: boolean])[] = [
  [String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z`, true],
  // Ids of requests, digests, keys.
  [String.raw`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`, true],
  [String.raw`\b(?:[0-9a-f]{64}|[0-9a-f]{32})\b`, true],
  [String.raw`\bgh_[\w-]{40,}`, true],
  // Days and months.
  [String.raw`\b\d{4}-\d\d-\d\d\b`, true],
  [String.raw`\b\d{4}-\d\d\b`, true],
  [String.raw`\b(?:\d{1,3}\.){3}\d{1,3}:\d+\b`, true],
  [String.raw`\bord-\d+\b`, true],
  // How long something took.
  [String.raw`\b\d+\.\d+(?= (?:s|ms|µs)\b)`, false],
  [String.raw`(?<=dur=)\d+(?:\.\d+)?\b`, false],
];
const REST = '^ *…$';

/**
 * The pattern of a text of a page: what varies matches others of its kind, `…` what a page leaves out, within a line or, on a
 * line of its own, lines.
 *
 * @param more is what varies besides in this text.
 */
export function patternOf(shown: string, more: readonly RegExp[] = []): RegExp {
  const kinds = [...more.map(({ source }) => [source, false] as const), ...VARYING];
  const tokens = new RegExp(
    `(?<lines>${REST}\\n?)|(?<some>…)|${kinds.map(([one]) => `(${one})`).join('|')}`,
    'gm',
  );
  const names = new Map<string, string>();
  let pattern = '';
  let at = 0;
  for (const match of shown.matchAll(tokens)) {
    pattern += literal(shown.slice(at, match.index)) + tokenPattern(match, kinds, names);
    at = match.index + match[0].length;
  }
  return new RegExp(`^${pattern}${literal(shown.slice(at))}$`);
}

function tokenPattern(match: RegExpExecArray, kinds: typeof VARYING, names: Map<string, string>): string {
  const [token] = match;
  if (match.groups?.['lines'] !== undefined) return '(?:[^\\n]*\\n)*?';
  if (match.groups?.['some'] !== undefined) return '[^\\n]*';
  // The two groups of what is left out come first.
  const [kind, isBound] = kinds[match.slice(3).findIndex((one) => one !== undefined)] ?? ['', false];
  if (!isBound) return `(?:${kind})`;
  const known = names.get(token);
  if (known !== undefined) return `\\k<${known}>`;
  const name = `t${names.size}`;
  names.set(token, name);
  return `(?<${name}>${kind})`;
}

const literal = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
