import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startFeed } from './feed.ts';
import type { HttpService } from './http-service.ts';

interface Item {
  id: string;
  title: string;
  authorId: string;
  publishedAt: string;
}

let feed: HttpService;
beforeAll(async () => {
  feed = await startFeed();
});
afterAll(() => feed.stop());

const items = async (query: string): Promise<Item[]> =>
  ((await (await fetch(`${feed.url}/feed${query}`)).json()) as { items: Item[] }).items;

describe('feed', () => {
  it('answers ten items by default, newest first', async () => {
    const answer = await items('');
    expect(answer).toHaveLength(10);
    expect(answer[0]).toEqual({
      id: 'item-24',
      title: 'Ten gates of old Lisbon, part 4',
      authorId: '1',
      publishedAt: '2026-11-01T12:00:00.000Z',
    });
    const times = answer.map(({ publishedAt }) => publishedAt);
    expect(times).toEqual(times.toSorted().toReversed());
  });

  it('has 24 items with different ids and titles by five authors', async () => {
    const answer = await items('?first=1000');
    expect(answer).toHaveLength(24);
    expect(new Set(answer.map(({ id }) => id)).size).toBe(24);
    expect(new Set(answer.map(({ title }) => title)).size).toBe(24);
    expect(new Set(answer.map(({ authorId }) => authorId)).size).toBe(5);
  });

  it('leaves out what the reader wrote', async () => {
    const answer = await items('?user=2&first=1000');
    expect(answer.map(({ authorId }) => authorId)).not.toContain('2');
    expect(answer.length).toBeLessThan(24);
    expect(await items('?user=nobody&first=1000')).toHaveLength(24);
  });

  it('answers as many items as asked for', async () => {
    expect(await items('?user=3&first=3')).toHaveLength(3);
  });

  it.each(['0', '-1', '1.5', 'many', ''])('answers 400 when first is "%s"', async (first) => {
    expect((await fetch(`${feed.url}/feed?first=${first}`)).status).toBe(400);
  });
});
