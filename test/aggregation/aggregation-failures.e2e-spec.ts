import { beforeAll, describe, expect, it } from '@jest/globals';
import type { RequestListener } from 'node:http';
import { FEED, get, json, urls, useAggregation, USER } from '../support/aggregation.ts';

const behind = useAggregation();

const slow: RequestListener = () => undefined;
const FAULTS: [string, string, string, number, RequestListener | undefined][] = [
  ['is dead', 'dead', 'upstream-unreachable', 502, undefined],
  ['hangs up in its answer', 'broken', 'upstream-unreachable', 502, undefined],
  ['has its breaker open', 'tripped', 'circuit-open', 503, undefined],
  ['is too slow', 'slow', 'upstream-timeout', 504, slow],
  ['answers garbage', 'feed', 'upstream-response-invalid', 502, json('{"items":')],
  ['answers 500', 'feed', 'upstream-rejected', 502, json('', {}, 500)],
  ['answers 404', 'feed', 'resource-not-found', 404, json('', {}, 404)],
];

describe('when an upstream', () => {
  beforeAll(() => get(behind, '/required-tripped/1'));

  it.each(FAULTS)(
    '%s (%s), the rest of the answer is whole',
    async (_how, upstream, code, _status, listener) => {
      if (listener !== undefined) behind.feed.listener = listener;
      const answer = await get(behind, `/alone-${upstream}/1`);
      expect(answer.status).toBe(200);
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(answer.json()).toEqual({
        user: USER,
        part: null,
        after: null,
        instead: { items: [] },
        degraded: [
          { section: 'part', code, via: 'null' },
          { section: 'after', code, via: 'null' },
          { section: 'instead', code, via: 'fallback' },
        ],
      });
    },
  );

  it.each(FAULTS)('%s (%s), a required call makes its problem the answer', async (...row) => {
    const [, upstream, code, status, listener] = row;
    if (listener !== undefined) behind.feed.listener = listener;
    const answer = await get(behind, `/required-${upstream}/1`);
    expect(answer.status).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.json()).toMatchObject({ code, section: 'part' });
  });

  it('hangs beyond the deadline of the route, the answer is the deadline', async () => {
    behind.users.listener = slow;
    expect((await get(behind, '/hasty/1')).json()).toMatchObject({ code: 'deadline-exceeded', status: 504 });
  });

  it('is being asked when the client leaves, that call is ended', async () => {
    const asked = new Promise<void>((resolve) => {
      behind.users.listener = (request) => {
        request.socket.once('close', () => resolve());
        incoming.destroy();
      };
    });
    const { request } = await import('node:http');
    const incoming = request(`${behind.gateway.url}/plain/1`).on('error', () => undefined);
    incoming.end();
    await asked;
    const closed = await behind.gateway.linesWhere((line) => line['status'] === 499);
    expect(closed[0]).toMatchObject({ route: 'plain', refused: { code: 'client-closed' } });
  });
});

describe('policies of an aggregated route', () => {
  it('mask fields of the composed answer at every depth', async () => {
    const answer = await get(behind, '/masked/1');
    expect(answer.text).not.toContain('internal');
    expect(answer.json()).toEqual({
      user: { name: 'Ada', tier: 'pro' },
      feed: { items: [{ id: 'a', title: 'One', authorId: '7' }, FEED.items[1]] },
    });
  });

  it('store it, masked as it was, for each value that it depends on', async () => {
    const first = await get(behind, '/cached/1', { 'accept-language': 'de' });
    const again = await get(behind, '/cached/1', { 'accept-language': 'de' });
    expect([first.headers['x-cache'], again.headers['x-cache']]).toEqual([undefined, 'HIT']);
    expect(again.text).toBe(first.text);
    expect(again.text).not.toContain('internal');
    expect(again.headers).not.toHaveProperty('server-timing');
    expect(behind.users.requests).toHaveLength(1);
    await get(behind, '/cached/1', { 'accept-language': 'en' });
    expect(urls(behind.feed)).toEqual(['/feed?l=de', '/feed?l=en']);
  });

  it('store nothing that is degraded', async () => {
    behind.feed.listener = json('', {}, 503);
    expect((await get(behind, '/cached/2', { 'accept-language': 'de' })).json()['degraded']).toHaveLength(1);
    behind.feed.listener = json(FEED);
    const mended = await get(behind, '/cached/2', { 'accept-language': 'de' });
    expect(mended.json()).not.toHaveProperty('degraded');
    expect(mended.headers).not.toHaveProperty('x-cache');
  });

  it.each([
    ['no-store', 'no-store', undefined],
    ['max-age=0', 'max-age=0', undefined],
    ['private, max-age=30', 'private, max-age=30', undefined],
    ['max-age=3600', 'max-age=60', 'HIT'],
  ])('keep it no longer than an upstream with %s allows', async (said, composed, verdict) => {
    behind.users.listener = json(USER, { 'cache-control': said });
    const path = `/cached/${encodeURIComponent(said)}`;
    const headers = { 'accept-language': 'de' };
    expect((await get(behind, path, headers)).headers['cache-control']).toBe(composed);
    expect((await get(behind, path, headers)).headers['x-cache']).toBe(verdict);
  });

  it('let a stale answer stand in for a required call that fails', async () => {
    await get(behind, '/stale/1');
    behind.users.listener = json('', {}, 500);
    const answer = await get(behind, '/stale/1');
    expect([answer.status, answer.headers['x-cache']]).toEqual([200, 'STALE']);
    expect(answer.json()).toEqual({ user: USER });
  });
});
