import { beforeEach, describe, expect, it } from '@jest/globals';
import type { OutgoingHttpHeaders } from 'node:http';
import { useShop, type RouteInput } from '../support/shop.ts';

const MINE = { upstream: 'notifications', grpc: 'shop.v1.Notifications/GetUnread', required: true };
const HELD = { upstream: 'echo', path: '/catalogue', cache: { ttl: '1h', scope: 'public' } };
const SAID = { upstream: 'echo', path: '/catalogue' };

const route = (id: string, calls: object, policies: object = {}): RouteInput => ({
  id,
  match: { path: `/${id}` },
  policies,
  aggregate: { calls },
});

const OF_ALL = { cache: { ttl: '1m', scope: 'public' } };

const holder = useShop({
  routes: [
    route('held', { open: HELD, mine: MINE }),
    route('said', { open: SAID, mine: MINE }),
    route('held-and-kept', { open: HELD, mine: MINE }, OF_ALL),
    route('said-and-kept', { open: SAID, mine: MINE }, OF_ALL),
    route('mine-is-kept', { open: HELD, mine: { ...MINE, cache: { ttl: '1h' } } }, OF_ALL),
    route('open', { open: HELD }, OF_ALL),
  ],
  upstreams: ({ notifications }) => ({
    notifications: {
      protocol: 'grpc',
      descriptorSet: 'config/descriptors/shop.binpb',
      targets: [notifications.url],
    },
  }),
});

let asked: OutgoingHttpHeaders[] = [];

beforeEach(() => {
  asked = [];
  holder.shop.echo.listener = ({ headers }, response) => {
    asked.push(headers);
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'public, max-age=60' });
    response.end('{"items":[]}');
  };
});

describe('an answer that is composed of what everybody may see and of what only its caller may', () => {
  it.each(['held', 'said', 'held-and-kept', 'said-and-kept', 'mine-is-kept'])(
    'is nobody else’s, whoever kept its parts: /%s',
    async (path) => {
      const first = await holder.shop.call(`/${path}`, { as: 'admin' });
      const other = await holder.shop.call(`/${path}`, { as: 'user' });
      expect([first.status, other.status]).toEqual([200, 200]);
      expect([first, other].map(({ headers }) => String(headers['cache-control']))).not.toContainEqual(
        expect.stringContaining('public'),
      );
      expect(other.headers['x-cache']).not.toBe('HIT');
      expect(other.json()['mine']).not.toEqual(first.json()['mine']);
    },
  );

  it('is everybody’s where all of its parts are', async () => {
    await holder.shop.call('/open', { as: 'admin' });
    const other = await holder.shop.call('/open', { as: 'user' });
    expect([other.headers['x-cache'], other.headers['cache-control']]).toEqual([
      'HIT',
      expect.stringMatching(/^public, max-age=/),
    ]);
  });
});
