import { describe, expect, it } from '@jest/globals';
import type { Resource } from '../resource.ts';
import { tooMany, type Sized } from './route-shares.ts';

const sized = (namespace: string, name: string, count: number): Sized => ({
  of: { kind: 'HTTPRoute', namespace, name } as Resource,
  count,
});
const names = (objects: readonly Sized[], most: number): string[] =>
  [...tooMany(objects, most)].map(({ namespace, name }) => `${namespace}/${name}`);

describe('tooMany', () => {
  it('finds none while all are few enough', () => {
    expect(names([sized('a', '1', 5), sized('b', '1', 5)], 10)).toEqual([]);
  });

  it('takes from who has the most, the youngest first, however old that is', () => {
    const objects = [sized('a', 'old', 6), sized('a', 'new', 4), sized('b', 'later', 3)];
    expect(names(objects, 12)).toEqual(['a/new']);
    expect(names(objects, 8)).toEqual(['a/new', 'a/old']);
    expect(names([...objects, sized('a', 'none', 0)], 12)).toEqual(['a/new']);
  });

  it('takes from the others as soon as they have the most', () => {
    const objects = [sized('a', '1', 4), sized('b', '1', 3), sized('b', '2', 3), sized('c', '1', 1)];
    expect(names(objects, 8)).toEqual(['b/2']);
    expect(names(objects, 4)).toEqual(['b/2', 'a/1']);
    expect(names(objects, 0)).toHaveLength(4);
  });
});
