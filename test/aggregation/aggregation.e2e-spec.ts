import { describe, expect, it } from '@jest/globals';
import { FEED, get, json, meet, urls, useAggregation, USER } from '../support/aggregation.ts';
import { call } from '../support/client.ts';

const behind = useAggregation();

describe('an aggregated route', () => {
  it('groups, picks, renames, merges and maps what its calls answer', async () => {
    behind.users.listener = (request, response) =>
      json(request.url === '/users/7' ? { name: 'Grace', tier: 'free' } : USER)(request, response);
    const answer = await get(behind, '/profile/1');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json');
    expect(answer.headers['content-length']).toBe(String(answer.body.length));
    expect(answer.json()).toEqual({
      id: '1',
      name: 'Ada',
      profile: { mail: 'ada@example.com', tier: 'pro', phone: null },
      items: [
        { id: 'a', label: 'One by 7' },
        { id: 'b', label: 'Two by 8' },
      ],
      author: { name: 'Grace', tier: 'free' },
      all: { ...USER, name: 'Grace', tier: 'free' },
      rest: [
        { id: 'a', title: 'One' },
        { id: 'b', title: 'Two' },
      ],
      version: 2,
    });
  });

  it('shows the answers by the names of their calls unless it says otherwise', async () => {
    expect((await get(behind, '/plain/1')).json()).toEqual({ a: USER, b: FEED });
  });

  it('merges at the top, and keeps to itself what says degraded there', async () => {
    behind.feed.listener = json({ tier: 'free', secret: 1, degraded: 'theirs' });
    const { internal, ...user } = USER;
    const expected = { ...user, internal, tier: 'free', source: '1' };
    expect((await get(behind, '/merged/1')).json()).toEqual(expected);
    behind.feed.listener = json('', {}, 500);
    expect((await get(behind, '/merged/1')).json()).toEqual({
      ...USER,
      source: '1',
      degraded: [{ section: 'extra', code: 'upstream-rejected', via: 'null' }],
    });
  });

  it('has independent calls in flight at the same time', async () => {
    meet(behind.users, behind.feed);
    const answer = await get(behind, '/plain/1');
    expect(answer.json()).toEqual({ a: USER, b: FEED });
  });

  it('makes a call that names another one after it, with a value of its answer', async () => {
    let answered = false;
    behind.feed.listener = (request, response) => {
      expect(urls(behind.users)).not.toContain('/users/7');
      response.once('finish', () => (answered = true));
      json(FEED)(request, response);
    };
    behind.users.listener = (request, response) => {
      expect(request.url === '/users/7' && !answered).toBe(false);
      json(USER)(request, response);
    };
    expect((await get(behind, '/profile/1')).json()).not.toHaveProperty('degraded');
    expect(urls(behind.users).sort()).toEqual(['/users/1', '/users/7']);
    expect(urls(behind.feed)).toEqual(['/feed?user=1&first=5']);
  });

  it('takes HEAD as GET, refuses other methods, and is one line in the log', async () => {
    const whole = await get(behind, '/plain/1');
    const head = await call(`${behind.gateway.url}/plain/1`, { method: 'HEAD' });
    expect([head.status, head.body.length]).toEqual([200, 0]);
    expect(head.headers['content-length']).toBe(whole.headers['content-length']);
    const refused = await call(`${behind.gateway.url}/plain/1`, { method: 'POST', body: '{}' });
    expect([refused.status, refused.headers['allow']]).toEqual([405, 'GET, HEAD']);
    const id = whole.headers['x-request-id'];
    const lines = await behind.gateway.linesWhere((line) => line['id'] === id && line.msg === 'exchange');
    expect(lines).toEqual([
      expect.objectContaining({
        route: 'plain',
        status: 200,
        upstream: 'users,feed',
        bytes: whole.body.length,
      }),
    ]);
  });

  it('tells in Server-Timing how long each call took, and counts it', async () => {
    expect((await get(behind, '/plain/1')).headers['server-timing']).toMatch(/^a;dur=\d+, b;dur=\d+$/);
    const { text } = await call(`${behind.gateway.adminUrl}/metrics`);
    expect(text).toContain('gatehouse_view_sections_total{view="plain",section="a",outcome="ok"}');
  });

  it('keeps every digit of a number, in the answer and on the way into a path', async () => {
    behind.users.listener = json('{"id":12345678901234567890,"e":1e400}');
    const answer = await get(behind, '/numbers/1');
    expect(answer.text).toContain('"a":{"id":12345678901234567890,"e":1e400}');
    expect(urls(behind.feed)).toEqual(['/b/12345678901234567890']);
  });

  it('sends identity, trace and time left to each upstream, and nothing that the client said by itself', async () => {
    await get(behind, '/plain/1', { 'x-user-id': 'forged', cookie: 'a=1', 'x-custom': '1' });
    const [seen] = behind.users.requests;
    expect(seen?.headers).toMatchObject({ accept: 'application/json', traceparent: expect.any(String) });
    expect(Number(seen?.headers['x-request-deadline-ms'])).toBeGreaterThan(0);
    for (const name of ['x-user-id', 'cookie', 'x-custom']) expect(seen?.headers).not.toHaveProperty(name);
  });
});

describe('values in paths and queries', () => {
  it.each([
    ['7', '/users/7/orders', '/feed?user=7&role=user'],
    ['a b', '/users/a%20b/orders', '/feed?user=a%20b&role=user'],
    ['a&role=admin', '/users/a%26role%3Dadmin/orders', '/feed?user=a%26role%3Dadmin&role=user'],
    ['a#x', '/users/a%23x/orders', '/feed?user=a%23x&role=user'],
    ['a?x=1', '/users/a%3Fx%3D1/orders', '/feed?user=a%3Fx%3D1&role=user'],
    ['a+b;c', '/users/a%2Bb%3Bc/orders', '/feed?user=a%2Bb%3Bc&role=user'],
    ['%2e%2e', undefined, '/feed?user=%252e%252e&role=user'],
    ['.. ', undefined, '/feed?user=..%20&role=user'],
    ['%41', '/users/%2541/orders', '/feed?user=%2541&role=user'],
    ['ü', '/users/%C3%BC/orders', '/feed?user=%C3%BC&role=user'],
    ['...', '/users/.../orders', '/feed?user=...&role=user'],
    ['..', undefined, '/feed?user=..&role=user'],
    ['.', undefined, '/feed?user=.&role=user'],
    ['..;x', undefined, '/feed?user=..%3Bx&role=user'],
    ['../admin', undefined, '/feed?user=..%2Fadmin&role=user'],
    ['a/b', undefined, '/feed?user=a%2Fb&role=user'],
    ['a\\b', undefined, '/feed?user=a%5Cb&role=user'],
    ['a\r\nx: y', undefined, '/feed?user=a%0D%0Ax%3A%20y&role=user'],
    ['a\0', undefined, '/feed?user=a%00&role=user'],
    ['', undefined, undefined],
  ])('of %j become the path %s and the query %s', async (value, path, query) => {
    const answer = await get(behind, `/inject/1?v=${encodeURIComponent(value)}`);
    expect(answer.status).toBe(200);
    expect(urls(behind.users)).toEqual(path === undefined ? [] : [path]);
    expect(urls(behind.feed)).toEqual(query === undefined ? [] : [query]);
    const failed = [...(path === undefined ? ['byPath'] : []), ...(query === undefined ? ['byQuery'] : [])];
    const degraded = failed.map((section) => ({ section, code: 'request-invalid', via: 'null' }));
    expect(answer.json()['degraded']).toEqual(degraded.length === 0 ? undefined : degraded);
  });

  it.each(['/inject/1', '/inject/1?v=1&v=2'])(
    'make no call when %s leaves open which is meant',
    async (path) => {
      expect((await get(behind, path)).json()).toMatchObject({ byPath: null, byQuery: null });
      expect(behind.users.requests).toHaveLength(0);
    },
  );

  it('decodes a parameter of the path once, whatever the client encoded', async () => {
    await get(behind, '/profile/a%26b%3Dc%2525');
    expect(urls(behind.users)).toContain('/users/a%26b%3Dc%2525');
    expect(urls(behind.feed)).toEqual(['/feed?user=a%26b%3Dc%2525&first=5']);
  });

  it.each([
    ['an empty text', { items: [{ authorId: '' }] }],
    ['null', { items: [{ authorId: null }] }],
    ['an object', { items: [{ authorId: { a: 1 } }] }],
    ['nothing', { items: [] }],
    ['what only JavaScript knows', { items: 'text' }],
    ['a dot segment', { items: [{ authorId: '..' }] }],
  ])('take no call to a wrong path for %s in an earlier answer', async (_what, body) => {
    behind.feed.listener = json(body);
    const answer = await get(behind, '/profile/1');
    expect(answer.json()).toMatchObject({
      author: null,
      degraded: [{ section: 'author', code: 'upstream-response-invalid', via: 'null' }],
    });
    expect(urls(behind.users)).toEqual(['/users/1']);
  });

  it('come from a header that is named, and the answer varies with it', async () => {
    const answer = await get(behind, '/header/1', { 'accept-language': 'de-DE,de;q=0.9' });
    expect(urls(behind.users)).toEqual(['/a?l=de-DE%2Cde%3Bq%3D0.9']);
    expect(answer.headers['vary']).toBe('accept-language');
  });

  it('cannot come from a principal that there is not', async () => {
    const answer = await get(behind, '/principal/1');
    expect(answer.status).toBe(403);
    expect(answer.json()).toMatchObject({ code: 'permission-denied', section: 'a' });
    expect(behind.users.requests).toHaveLength(0);
  });
});
