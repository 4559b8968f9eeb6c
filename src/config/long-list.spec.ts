import { describe, expect, it } from '@jest/globals';
import { ConfigError } from './config-fault.ts';
import type { ConfigPath } from './config-path.ts';
import { findLongList } from './long-list.ts';
import { readPlainItem } from './plain-item.ts';
import { readYaml } from './yaml-reader.ts';

const VARIABLES = { A: 'of a', N: '5' };

/** All that a file says, where, and what is wrong with it. */
function read(text: string, long: number): unknown {
  try {
    const { value, faults, faultyPaths, locate } = readYaml(text, 'g.yaml', VARIABLES, long);
    const places = pathsOf(value, []).map((path) => [path, locate(path)]);
    return { value: JSON.stringify(value), places, faults, faultyPaths };
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

function pathsOf(value: unknown, path: ConfigPath): ConfigPath[] {
  if (typeof value !== 'object' || value === null) return [path];
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [
    path,
    ...keys.flatMap((key) => pathsOf((value as Record<string | number, unknown>)[key], [...path, key])),
  ];
}

const IN_PIECES = 0;
const WHOLE = Infinity;

/** Numbers as if by chance, the same ones each time. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const SCALARS = (
  `a|/users/{id}|on|No|true|True|null|~|NULL|12|012|1.5|1e3|0x1f|-3|+4|.5|.inf|5s|100ms|16MiB|1_000|12:30|2026-06-01|` +
  `'it'|'it''s'|"x"|"a\\nb"|'a: b'|"\${A}"|\${N}|x \${A} y|two words|two  words|a, b|a #b|a#b|a:b|a: b|a:|{ }|{}|[]|[ ]|` +
  `[a, b]|[ a,b ]|[GET, 'POST', 5]|{ a: b }|{a: b}|{ a: { b: c }, d: [e, f] }|{ a: b, }|{ a }|{ a: }|[a: b]|{ "a": b }|` +
  `{ a: b, a: c }|*x|&x b|!!str 5|- a|? a|@a|%a|a%b|ü|a\tb|"not closed|'not closed|[a, b|{ a: b|-|--- a|a |http://h:80/p?q=1|` +
  `a{b|a}b|a[b|{ a: b } c|[a] # c|'a' b|'ü'|__proto__|constructor|`
).split('|');
const KEYS = `id|match|path|on|true|null|a-b|a b|<<|__proto__|"id"|'k'|5|? x|constructor|é|a.b|-`.split('|');

/** A file with a list of items as people may write them, and some as nobody should. */
function written(random: (below: number) => number): string {
  const pick = (from: readonly string[]): string => from[random(from.length)] as string;
  const scalar = (): string => pick(random(4) === 0 ? SCALARS : SCALARS.slice(0, 3));
  const key = (): string => pick(random(12) === 0 ? KEYS : KEYS.slice(0, 3));
  const pad = (column: number): string =>
    ' '.repeat(Math.max(0, column + (random(60) === 0 ? random(3) - 1 : 0)));
  const end = (): string => pick(['\n', '\n', '\n', '\n', '\n', '\n', ' \n', ' # c\n', ' # é\n', '\n\n', '\n# c\n', '\n    # c\n', '\r\n'].slice(0, random(8) === 0 ? 13 : 5)); // prettier-ignore
  const map = (column: number, depth: number): string =>
    Array.from(
      { length: 1 + random(3) },
      (_, at) => (at === 0 ? '' : pad(column)) + entry(column, depth),
    ).join('');
  const entry = (column: number, depth: number): string => {
    const kind = depth > 2 ? 0 : random(9);
    if (kind === 6) return `${key()}:${end()}${pad(column + 2)}${map(column + 2, depth + 1)}`;
    if (kind === 7) return `${key()}:${end()}${list(column + 2 * random(2), depth + 1)}`;
    if (kind === 8 && random(3) === 0) return `${key()}: ${pick(['|', '>', '|-'])}${end()}${pad(column + 2)}text\n${pad(column + 2)}- more: of it\n`; // prettier-ignore
    return `${key()}: ${scalar()}${end()}`;
  };
  const item = (column: number, depth: number): string => {
    const gap = 1 + (random(10) === 0 ? random(3) : 0);
    const inner = column + 1 + gap;
    return `${pad(column)}-${' '.repeat(gap)}${random(8) === 0 ? scalar() + end() : map(inner, depth)}`;
  };
  const list = (column: number, depth: number): string =>
    Array.from({ length: 1 + random(3) }, () => item(column, depth)).join('');
  const margin = 2 * random(2);
  const head = pick([
    '',
    'version: 1\n',
    'x: &x { n: 1 }\n',
    '# c\nversion: 1\n',
    '---\n',
    '{\n',
    '"\n',
    '--- |\n',
    'routes: 1\n',
  ]);
  const tail = pick([
    '',
    '',
    'last: { a: b }\n',
    'last: *x\n',
    ' last: a\n',
    '# c\n',
    '...\n',
    '---\n',
    '}\n',
    '"\n',
    '  - last\n',
  ]);
  const usual = random(3) > 0;
  return `${usual ? 'version: 1\n' : head}routes:${end()}${list(margin, 0)}${list(margin, 0)}${usual ? 'last: { a: b }\n' : tail}`;
}

/** Which items of the list of a file are read without the library. */
function plainOf(text: string): boolean[] {
  const list = findLongList(text, 0);
  if (list === undefined) return [];
  const { bounds, column } = list;
  return bounds
    .slice(0, -1)
    .map((start, index) => readPlainItem(text.slice(start, bounds[index + 1]), start, column) !== undefined);
}

describe('a long list, read piece by piece', () => {
  it('says what the file says as a whole, at the same places, with the same faults', () => {
    const seen = { plain: 0, other: 0, faulty: 0 };
    for (let seed = 1; seed <= 1000; seed += 1) {
      const text = written(chance(seed * 7919));
      const inPieces = read(text, IN_PIECES);
      expect({ text, read: inPieces }).toEqual({ text, read: read(text, WHOLE) });
      for (const isPlain of plainOf(text)) seen[isPlain ? 'plain' : 'other'] += 1;
      if (Array.isArray(inPieces)) seen.faulty += 1;
    }
    // It has seen enough of each.
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(300);
  });

  it('needs the library only for items that are written in an unusual way', () => {
    const text = `version: 1
routes: # all of them
  # the first
  - id: a
    match: { methods: [GET, HEAD], path: '/a/{id}' }
    upstream: users # über alle
    policies:
      authentication:
        schemes:
        - apiKey
      rateLimit: { key: ip, rate: 10, per: 1m }

      deadline: 5s
  - id: b
    match: { path: '/b/{id}/*' }
    policies: { cache: { ttl: 30s, public: true } }
  - id: c
    summary: &text says "\u0041"
  - { id: d, note: *text }
last: 1
`;
    expect(plainOf(text)).toEqual([true, true, false, false]);
    expect(read(text, IN_PIECES)).toEqual(read(text, WHOLE));
  });

  it('is found only where it is long, below a key at the left margin', () => {
    const items = '  - a\n'.repeat(100);
    expect(findLongList(`routes:\n${items}`, 600)?.bounds).toHaveLength(101);
    expect(findLongList(`routes:\n${items}`, 601)).toBeUndefined();
    expect(findLongList(`routes:\n${items}`)).toBeUndefined();
    expect(findLongList(`more:\n  routes:\n${items}`, 600)).toBeUndefined();
  });
});
