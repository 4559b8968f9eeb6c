import { describe, expect, it } from '@jest/globals';
import { groupsOf } from './cache-groups.ts';

describe('groupsOf', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['one', ['Cache-Groups', '"a"'], ['a']],
    ['several, on several lines', ['cache-groups', '"a", "b c"', 'cache-groups', ' "d" '], ['a', 'b c', 'd']],
    ['one with quotes', ['cache-groups', String.raw`"a\"b\\"`], [String.raw`a"b\ `.trimEnd()]],
    ['one with parameters, and a string in them', ['cache-groups', '"a";x="b", "c";y=1'], ['a', 'c']],
    ['an empty one', ['cache-groups', '""'], ['']],
    ['no string', ['cache-groups', 'a, "b"'], []],
    ['a string without an end', ['cache-groups', '"a", "b'], []],
    ['nothing', ['cache-groups', ''], []],
    ['another field', ['cache-tag', '"a"'], []],
  ])('reads %s', (_, headers, groups) => {
    expect(groupsOf(headers, 'cache-groups', 'host')).toEqual(groups.map((one) => `host\n${one}`));
  });

  it('reads the longest field at once', () => {
    const list = Array.from({ length: 5000 }, () => '"a"').join();
    expect(groupsOf(['cache-groups', list], 'cache-groups', 'h')).toHaveLength(5000);
    expect(groupsOf(['cache-groups', `${list}${'\t'.repeat(50_000)}x`], 'cache-groups', 'h')).toEqual([]);
  });
});
