import { describe, expect, it } from '@jest/globals';
import { gatewaySchema } from '../pipeline/actions.ts';
import { forwardSource } from '../proxy/forward.source.ts';
import { readRoutes } from './read-routes.ts';

describe(readRoutes, () => {
  it('makes a definition of each route, with its place and its parsed policies', () => {
    const config = gatewaySchema.parse({
      version: 1,
      routes: [
        {
          id: 'users',
          match: {
            methods: ['GET'],
            hosts: ['api.example.com'],
            path: '/users/*',
            headers: { 'X-Beta': '1' },
          },
          upstream: 'users',
          rewrite: { stripPrefix: '/users' },
          policies: { deadline: '2s', cache: 'off' },
        },
        { id: 'rest', match: { path: '/*' }, upstream: 'users' },
      ],
    });
    const { definitions } = readRoutes(config, (index) => `gateway.yaml:${index}`, [forwardSource]);
    expect(definitions).toEqual([
      {
        id: 'users',
        door: 'proxy',
        origin: 'gateway.yaml:0',
        match: { methods: ['GET'], hosts: ['api.example.com'], path: '/users/*', headers: { 'x-beta': '1' } },
        upstream: 'users',
        action: { kind: 'forward', rewrite: { stripPrefix: '/users' } },
        policies: [{ deadline: 2000, cache: 'off' }],
      },
      {
        id: 'rest',
        door: 'proxy',
        origin: 'gateway.yaml:1',
        match: { methods: [], hosts: [], path: '/*', headers: {} },
        upstream: 'users',
        action: { kind: 'forward', rewrite: undefined },
        policies: [{}],
      },
    ]);
  });
});
