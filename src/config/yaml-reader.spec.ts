import { describe, expect, it } from '@jest/globals';
import { ConfigError } from './config-fault.ts';
import { readYaml } from './yaml-reader.ts';

function faultLines(text: string, variables = {}): string[] {
  try {
    const { faults } = readYaml(text, 'g.yaml', variables);
    return faults.length === 0 ? [] : new ConfigError(faults).message.split('\n').slice(0, -1);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n').slice(0, -1);
    throw error;
  }
}

const valueOf = (text: string, variables = {}) => readYaml(text, 'g.yaml', variables).value;

describe('readYaml, values', () => {
  it('reads YAML 1.2 core: dates, yes/no and sexagesimals stay text, keys are always text', () => {
    expect(valueOf('a: 2026-06-01\nb: yes\nc: 12:30:00\nd: 0o17\ne: true\nf: ~\n404: x\ntrue: y\n')).toEqual({
      a: '2026-06-01',
      b: 'yes',
      c: '12:30:00',
      d: 15,
      e: true,
      f: null,
      404: 'x',
      true: 'y',
    });
  });

  it('reads an empty file as null', () => {
    expect(valueOf('')).toBeNull();
    expect(valueOf('# nothing yet\n')).toBeNull();
  });

  it('gives aliases the value of their anchor', () => {
    expect(valueOf('a: &x { n: 1 }\nb: *x\nc: [*x, *x]\n')).toEqual({
      a: { n: 1 },
      b: { n: 1 },
      c: [{ n: 1 }, { n: 1 }],
    });
  });

  it('skips a byte order mark and reads Windows line ends', () => {
    expect(valueOf('\uFEFFa: 1\r\nb: x\r\n')).toEqual({ a: 1, b: 'x' });
  });
});

describe('readYaml, variables', () => {
  const variables = {
    N: '5',
    F: '1.5',
    B: 'true',
    S: 'text',
    NULL: 'null',
    INJECT: 'x\nadmin: true',
    HEX: '0x10',
  };

  it('types an unquoted value as the file would and keeps a quoted one as text', () => {
    const text = 'n: ${N}\nf: ${F}\nb: ${B}\nd: ${D:-7}\ns: ${S}-${N}\nq: "${N}"\nk: \'${B}\'\ne: "$${N}"\n';
    expect(valueOf(text, variables)).toEqual({
      n: 5, f: 1.5, b: true, d: 7, s: 'text-5', q: '5', k: 'true', e: '${N}',
    }); // prettier-ignore
  });

  it('never lets a variable bring structure, null or another notation of numbers into the file', () => {
    expect(valueOf('a: ${INJECT}\nb: ${NULL}\nc: ${HEX}\n', variables)).toEqual({
      a: 'x\nadmin: true',
      b: 'null',
      c: '0x10',
    });
  });

  it('leaves keys and comments alone', () => {
    expect(valueOf('# ${NOPE}\n"${N}": 1\n', variables)).toEqual({ '${N}': 1 });
  });

  it('names each variable that is not set, with the place of the value', () => {
    expect(faultLines('a: 1\nb: ["${NOPE}", "x${ALSO}"]\n')).toEqual([
      'g.yaml:2:5  b[0]  environment variable NOPE is not set and has no default',
      'g.yaml:2:16  b[1]  environment variable ALSO is not set and has no default',
    ]);
  });
});

describe('readYaml, faults', () => {
  it.each<[string, string, string[]]>([
    ['an open quote', 'a: "x\n', ['g.yaml:2:1  not YAML: missing closing "quote']],
    ['a tab as indentation', 'a:\n\tb: 1\n', ['g.yaml:2:1  expected spaces as indentation, found a tab']],
    [
      'two documents',
      'a: 1\n---\nb: 1\n',
      ['g.yaml:2:1  expected one document; remove the "---" that starts another'],
    ],
    ['a map as a key', '? [a]\n: 1\n', ['g.yaml:1:3  expected text as a key']],
    ['an unknown tag', 'a: !js 1\n', ['g.yaml:1:4  not YAML: unresolved tag: !js']],
    [
      'a variable in a flow map, once and not for all the rest of the line',
      'a: { b: ${N}, c: 1 }\nd: 1\n',
      [
        'g.yaml:1:10  inside { } and [ ] expected a variable in quotes, "${NAME}", which makes it text; ' +
          'for a number write the map or list over several lines',
      ],
    ],
    [
      'several at once',
      'a: [1, 2\nb: 1\nc: "x" y\nd: @z\n',
      [
        'g.yaml:2:1  not YAML: flow sequence in block collection must be sufficiently indented and end with a ]',
        'g.yaml:3:8  not YAML: unexpected scalar at node end',
        'g.yaml:4:4  not YAML: plain value cannot start with reserved character @',
      ],
    ],
    ['a duplicate key', 'a: 1\nb: 2\na: 3\n', ['g.yaml:3:1  a  duplicate key; expected each key once']],
    [
      'a duplicate key deep in a route',
      'routes:\n  - id: users\n    match: { path: /a, path: /b }\n',
      ['g.yaml:3:24  routes[users].match.path  duplicate key; expected each key once'],
    ],
    [
      'a merge key',
      'a: &a { b: 1 }\nc:\n  <<: *a\n',
      [
        'g.yaml:3:3  c["<<"]  merge keys are not supported; give the whole value by an alias, or repeat the keys',
      ],
    ],
    ['an unknown anchor', 'a: *nope\n', ['g.yaml:1:4  a  expected an anchor &nope before this alias']],
    [
      'an alias inside its own anchor',
      'a: &a [*a]\n',
      ['g.yaml:1:8  a[0]  expected an anchor &a before this alias'],
    ],
    [
      'a key that reaches for the prototype',
      '__proto__: { x: 1 }\n',
      ['g.yaml:1:1  __proto__  this key is not allowed'],
    ],
  ])('tells %s', (_title, text, lines) => {
    expect(faultLines(text)).toEqual(lines);
  });

  it('names the route of a fault', () => {
    const { faults } = readYaml('routes:\n  - id: users\n    a: *b\n', 'g.yaml', {});
    expect(faults).toMatchObject([{ routeId: 'users', line: 3, column: 8 }]);
  });

  it('stops an alias bomb with one fault', () => {
    const row = (name: string, of: string) => `${name}: &${name} [${Array(9).fill(`*${of}`).join(', ')}]`;
    const bomb = [
      'a: &a [x]',
      row('b', 'a'),
      row('c', 'b'),
      row('d', 'c'),
      row('e', 'd'),
      row('f', 'e'),
      row('g', 'f'),
    ];
    expect(faultLines(bomb.join('\n'))).toEqual(['g.yaml:6:40  f[8]  expected fewer aliases of aliases']);
  });

  it('survives thousands of levels of nesting', () => {
    expect(faultLines('['.repeat(50_000))[0]).toMatch(/expected fewer levels of nesting$/);
  });

  it('does not let __proto__ change any object', () => {
    const { value } = readYaml('a: { __proto__: { polluted: 1 } }\n', 'g.yaml', {});
    expect(value).toEqual({ a: {} });
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});

describe('readYaml, locate', () => {
  const text = ['a:', '  - b: 1', '    "c d": &x { e: 2 }', '  - [f, *x]', 'g: *x'].join('\n');
  const { locate } = readYaml(text, 'g.yaml', {});

  it.each([
    [['a'], 1, 1],
    [['a', 0], 2, 5],
    [['a', 0, 'c d'], 3, 5],
    [['a', 0, 'c d', 'e'], 3, 17],
    [['a', 1, 0], 4, 6],
    [['a', 1, 1], 4, 9],
    [['g'], 5, 1],
    [['g', 'e'], 3, 17],
    [['a', 0, 'nope', 'deeper'], 2, 5],
    [['a', 9], 1, 1],
    [['nope'], 1, 1],
    [[], 1, 1],
  ])('finds %j, or its nearest parent, at %d:%d', (path, line, column) => {
    expect(locate(path)).toEqual({ line, column });
  });

  it('is at the start of an empty file', () => {
    expect(readYaml('', 'g.yaml').locate(['a'])).toEqual({ line: 1, column: 1 });
  });
});
