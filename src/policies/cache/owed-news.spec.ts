import { expect, it } from '@jest/globals';
import { OwedNews } from './owed-news.ts';

it('covers a URI until each change of it is told, and everything until each purge is', () => {
  const owed = new OwedNews();
  const [one, two, purge] = [{ changed: 'a' }, { changed: 'a' }, { purges: [] }];
  for (const ending of [one, two, purge]) expect(owed.add(ending)).toBe(false);
  expect(owed.covers('b')).toBe(true);
  owed.delete(purge);
  owed.delete(one);
  owed.delete(one);
  expect([owed.covers('a'), owed.covers('b')]).toEqual([true, false]);
  owed.delete(two);
  expect([owed.covers('a'), owed.size]).toEqual([false, 0]);
});

it('knows of 10 000 at most; of more only that everything has ended', () => {
  const owed = new OwedNews();
  for (let at = 0; at < 10_000; at += 1) expect(owed.add({ changed: String(at) })).toBe(false);
  expect([owed.size, owed.covers('another')]).toEqual([10_000, false]);
  expect(owed.add({ changed: 'one too many' })).toBe(true);
  expect(owed.list()).toEqual([{ purges: [{ by: 'prefix', value: '' }] }]);
  expect([owed.covers('5'), owed.covers('another')]).toEqual([true, true]);
});
