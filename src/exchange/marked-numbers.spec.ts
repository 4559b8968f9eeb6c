import { describe, expect, it, jest } from '@jest/globals';
import { markNumbers, parseMarked } from './marked-numbers.ts';

const LONG = '9007199254740993';
const marked = (digits: string): string => `{"m":"${digits}"}`;
const isLong = (source: string): boolean =>
  Number.isInteger(Number(source)) && !Number.isSafeInteger(Number(source));
const mark = (text: string): string => markNumbers(text, 'm', isLong);

describe('markNumbers', () => {
  it.each([
    [LONG, marked(LONG)],
    [`[-${LONG},1,${LONG}]`, `[${marked(`-${LONG}`)},1,${marked(LONG)}]`],
    ['{"a":1.5e300}', `{"a":${marked('1.5e300')}}`],
    [`{"a":1e30 ,"b" : ${LONG}0}`, `{"a":${marked('1e30')} ,"b" : ${marked(`${LONG}0`)}}`],
    [`{"${LONG}":"${LONG}","\\"${LONG}":"\\\\"}`, undefined],
    ['[9007199254740991,-9007199254740991,0.1,1e400,1e-400,-0]', undefined],
    // No JSON, and it stays none.
    [`0${LONG}`, undefined],
    [`+${LONG}.`, undefined],
    [`[${LONG}e]`, undefined],
    [`"${LONG}`, undefined],
    [`"\\`, undefined],
  ])('of %s is %s', (text, expected) => {
    expect(mark(text)).toBe(expected ?? text);
  });

  it.each([
    `{${LONG}:1}`,
    `true${LONG}`,
    `${LONG}a`,
    `[${LONG} ${LONG}]`,
    `--${LONG}`,
    `-${LONG}-`,
    `"a"${LONG}`,
  ])('makes no JSON of %s', (text) => {
    expect(() => JSON.parse(text) as unknown).toThrow();
    expect(() => JSON.parse(mark(text)) as unknown).toThrow();
  });
});

describe('parseMarked', () => {
  const changed = (text: string): unknown =>
    parseMarked(text, {
      isMarked: (source) => String(Number(source)) !== source,
      place: (holder, key, source) => (holder[key] = `<${source}>`),
    });

  it('puts something else into the place of numbers, however deep, and leaves the others', () => {
    expect(changed(`[1,-0,1.0,{"a":{"b":[${LONG},0.5]}},"1.0",1e3,-5,12345678901234567]`)).toEqual([
      1, '<-0>', '<1.0>', { a: { b: [`<${LONG}>`, 0.5] } }, '1.0', '<1e3>', -5, '<12345678901234567>',
    ]); // prettier-ignore
    expect(changed('1.0')).toBe('<1.0>');
    expect(changed('{"a":1}')).toEqual({ a: 1 });
  });

  it('calls nothing for each value', () => {
    const parse = jest.spyOn(JSON, 'parse');
    try {
      changed(`[1.0,${'0,'.repeat(1000)}{}]`);
      expect(parse.mock.calls.map((given) => given[1])).toEqual([undefined]);
    } finally {
      parse.mockRestore();
    }
  });

  it.each(['[1.0', '{"a":01.0}', '[1.0,]', ''])('throws for %s, which is no JSON', (text) => {
    expect(() => changed(text)).toThrow(SyntaxError);
  });

  it('throws for what is nested too deep to be walked', () => {
    expect(() => changed(`${'['.repeat(100_000)}1.0${']'.repeat(100_000)}`)).toThrow(RangeError);
  });
});
