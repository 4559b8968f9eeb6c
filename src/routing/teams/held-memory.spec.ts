import { expect, it } from '@jest/globals';
import { heldStrays } from './held-memory.ts';

it('finds sizes beyond what may be held, wherever they stand, and takes nothing of clients and services for one', () => {
  const strays = heldStrays(
    {
      routes: [
        {
          aggregate: {
            maxAnswer: 101,
            calls: { a: { cache: { maxBytes: 101 }, input: { maxBody: 101 } } },
            response: { maxBody: 101 },
          },
          policies: {
            transform: { response: { maxBody: 101, template: { maxBytes: 101 } }, request: { maxBody: 100 } },
          },
        },
      ],
      upstreams: { own: { maxResponseHead: 101, maxConnections: 500 } },
    },
    { maxHeld: 100 },
  );
  expect(strays.map(({ path }) => path.join('.'))).toEqual([
    'routes.0.aggregate.maxAnswer',
    'routes.0.aggregate.calls.a.cache.maxBytes',
    'routes.0.policies.transform.response.maxBody',
    'upstreams.own.maxResponseHead',
  ]);
});
