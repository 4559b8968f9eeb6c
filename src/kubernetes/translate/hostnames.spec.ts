import { describe, expect, it } from '@jest/globals';
import { commonHosts } from './hostnames.ts';

describe('commonHosts', () => {
  it.each<[string | undefined, string[], string[] | undefined]>([
    [undefined, [], []],
    [undefined, ['a.test'], ['a.test']],
    ['a.test', [], ['a.test']],
    ['a.test', ['a.test', 'b.test'], ['a.test']],
    ['*.test', ['a.test', 'a.b.test', 'test'], ['a.test', 'a.b.test']],
    ['a.b.test', ['*.test'], ['a.b.test']],
    ['*.b.test', ['*.test'], ['*.b.test']],
    ['*.test', ['*.b.test'], ['*.b.test']],
    ['a.test', ['b.test'], undefined],
    ['*.a.test', ['*.b.test'], undefined],
    ['*.test', ['atest'], undefined],
  ])('of %s and %j is %j', (listener, route, common) => {
    expect(commonHosts(listener, route)).toEqual(common);
  });
});
