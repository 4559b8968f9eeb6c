import { describe, expect, it } from '@jest/globals';
import { compileRoutes, createCompiler, defineRoute } from '../../test/support/routes.ts';
import { DeadlineStageFactory } from '../policies/deadline/deadline.stage.ts';
import { policyRegistry } from '../policies/order.ts';
import { describeDetail, describeRoutes } from './route-listing.ts';

describe('describeRoutes', () => {
  it('lists by path, then by methods', () => {
    const routes = compileRoutes([
      { path: '/b', id: '1' },
      { path: '/a', id: '2', methods: ['POST'] },
      { path: '/a', id: '3', methods: ['GET'] },
    ]);
    expect(describeRoutes(routes).map(({ id }) => id)).toEqual(['3', '2', '1']);
  });

  it('shows what is in force on a route', () => {
    const { authorization, rateLimit } = policyRegistry;
    const route = createCompiler([new DeadlineStageFactory()]).compile(
      defineRoute({
        path: '/users/{id}',
        id: 'users',
        methods: ['GET', 'POST'],
        hosts: ['a.test', '*.b.test'],
        headers: { 'x-beta': '1' },
        upstream: 'users',
        origin: 'gateway.yaml:3:5',
        policies: [
          {
            authentication: { schemes: ['jwt', 'apiKey'] },
            authorization: authorization.schema.parse({ anyRole: ['a', 'b'], allPermissions: ['c'] }),
            rateLimit: rateLimit.schema.parse([
              { key: 'ip', rate: 5, per: '1s' },
              { rate: 9, burst: 20 },
            ]),
            deadline: 1000,
          },
        ],
      }),
    );
    expect(describeRoutes([route])).toEqual([
      {
        id: 'users',
        door: 'proxy',
        methods: 'GET,POST',
        host: 'a.test,*.b.test',
        path: '/users/{id} [x-beta: 1]',
        upstream: 'users',
        authentication: 'jwt,apiKey',
        authorization: 'anyRole(a,b) allPermissions(c)',
        limits: 'ip 5/1s burst 5; principal 9/1m burst 20',
        stages: 'deadline',
        origin: 'gateway.yaml:3:5',
      },
    ]);
  });

  it('shows what is absent as such', () => {
    const [listed] = describeRoutes(compileRoutes([{ path: '/a', door: 'handler' }]));
    expect(listed).toMatchObject({
      methods: '*',
      host: '*',
      upstream: '-',
      authentication: 'public',
      authorization: '-',
      limits: '-',
      stages: '-',
    });
  });
});

describe('describeDetail', () => {
  it('lists the policies of a route in the order in which they are met, and which of them have a stage', () => {
    const { rateLimit } = policyRegistry;
    const route = createCompiler([new DeadlineStageFactory()]).compile(
      defineRoute({
        path: '/a',
        id: 'a',
        origin: 'gateway.yaml:3:5',
        policies: [
          {
            authentication: { schemes: ['jwt'] },
            deadline: 1000,
            rateLimit: rateLimit.schema.parse({ key: 'ip', rate: 5, per: '1s' }),
          },
        ],
      }),
    );
    const { policies, ...rest } = describeDetail(route, {});
    expect(rest).toEqual({ id: 'a', origin: 'gateway.yaml:3:5' });
    expect(policies.filter(({ policy }) => policy === 'deadline' || policy === 'rateLimit')).toEqual([
      { policy: 'rateLimit', says: 'ip 5/1s burst 5', enforced: false },
      { policy: 'deadline', says: '1s', enforced: true },
    ]);
  });
});
