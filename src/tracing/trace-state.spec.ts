import { describe, expect, it } from '@jest/globals';
import { ownValue, readTraceState, withThreshold, writeTraceState } from './trace-state.ts';

const many = (count: number): string => Array.from({ length: count }, (_, index) => `k${index}=v`).join(',');

describe('readTraceState', () => {
  it.each([
    ['a=1', ['a=1']],
    ['a=1 , \tb=2', ['a=1', 'b=2']],
    ['a=1,,b=2,', ['a=1', 'b=2']],
    ['tenant@sys=x y', ['tenant@sys=x y']],
    ['0a-_*/@=!~', ['0a-_*/@=!~']],
    [`${'a'.repeat(256)}=${'v'.repeat(256)}`, [`${'a'.repeat(256)}=${'v'.repeat(256)}`]],
    [many(32), many(32).split(',')],
  ])('reads %s', (text, members) => {
    expect(readTraceState(text)).toEqual(members);
  });

  it.each([
    ['33 members', many(33)],
    ['a key in capitals', 'A=1'],
    ['a key that is too long', `${'a'.repeat(257)}=1`],
    ['a value that is too long', `a=${'v'.repeat(257)}`],
    ['no value', 'a='],
    ['no sign', 'a'],
    ['a sign in the value', 'a=1=2'],
    ['a character that is none of ASCII', 'a=ü'],
    ['a key that is there twice', 'a=1,a=2'],
    ['one bad member among good ones', 'a=1,B=2'],
    ['nothing', ''],
    ['blanks within a key, as many as there may be', `a${' '.repeat(2_000_000)}b=1`],
    ['nothing but commas', ', ,'],
  ])('cannot use %s', (_, text) => {
    expect(readTraceState(text)).toBeUndefined();
  });
});

describe('writeTraceState', () => {
  it('leaves out long members first, then the right-most, never a part of one', () => {
    const long = `long=${'x'.repeat(200)}`;
    const short = Array.from({ length: 12 }, (_, index) => `k${index}=${'y'.repeat(36)}`);
    expect(writeTraceState(['a=1', long, 'b=2'])).toBe(`a=1,${long},b=2`);
    const written = writeTraceState(['a=1', long, ...short]);
    expect(written?.split(',')).toEqual(['a=1', ...short.slice(0, 12)]);
    const right = writeTraceState(Array.from({ length: 30 }, (_, index) => `m${index}=${'z'.repeat(40)}`));
    expect(right?.length).toBeLessThanOrEqual(512);
    expect(right?.startsWith('m0=')).toBe(true);
  });

  it('writes nothing for none', () => {
    expect([writeTraceState(undefined), writeTraceState([])]).toEqual([undefined, undefined]);
  });
});

describe('withThreshold', () => {
  it('puts our member to the left, keeps the rest of it, and the order of others', () => {
    expect(withThreshold(['a=1', 'ot=rv:123;th:8', 'b=2'], 'c')).toEqual(['ot=th:c;rv:123', 'a=1', 'b=2']);
    expect(withThreshold(undefined, '0')).toEqual(['ot=th:0']);
  });

  it('takes the threshold out where a trace is not sampled by it, and changes nothing without one', () => {
    expect(withThreshold(['ot=th:8', 'a=1'], undefined)).toEqual(['a=1']);
    const members = ['a=1'];
    expect(withThreshold(members, undefined)).toBe(members);
  });

  it('makes room for a new member by the right-most', () => {
    const members = withThreshold(many(32).split(','), '8');
    expect([members?.length, members?.[0], members?.at(-1)]).toEqual([32, 'ot=th:8', 'k30=v']);
  });
});

it('finds a value of our member', () => {
  expect(ownValue(['a=1', 'ot=th:8;rv:0123456789abcd'], 'rv')).toBe('0123456789abcd');
  expect(ownValue(['a=rv:1'], 'rv')).toBeUndefined();
});
