import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { forwardKindOf } from '../../test/support/routes.ts';
import { ConfigError } from '../config/config-fault.ts';
import { readConfig } from '../config/config-reader.ts';
import { gatewaySchema } from '../pipeline/actions.ts';
import { deadlinePolicy } from '../policies/deadline/deadline.policy.ts';
import type { StageFactory } from '../policies/stage-factory.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import { buildRouteTable } from './table-builder.ts';

/** A stage that suits no route. */
const unfit: StageFactory = {
  policy: deadlinePolicy,
  compile: () => {
    throw new Error('suits no route');
  },
};

function toldOf(defaults: string, routes: readonly string[]): string[] {
  const text = [
    'version: 1',
    `defaults: { policies: { authentication: public${defaults} } }`,
    "upstreams: { users: { targets: ['http://127.0.0.1:1'] } }",
    'routes:',
    ...routes.map((id) => `  - { id: ${id}, match: { path: /${id} }, upstream: users }`),
  ].join('\n');
  const source = readConfig(gatewaySchema, text, 'gateway.yaml', {});
  const metrics = new Metrics();
  const upstreams = new UpstreamRegistry(source.value.upstreams, pino({ level: 'silent' }), metrics);
  const actions = [forwardKindOf(metrics)];
  try {
    buildRouteTable({
      source,
      controllers: [],
      definitions: [],
      factories: [unfit],
      actions,
      upstreams,
      metrics,
    });
  } catch (error) {
    if (error instanceof ConfigError)
      return error.faults.map(({ line, key, message }) => `${line} ${key} ${message}`);
    throw error;
  }
  throw new Error('the table was built');
}

describe('a policy of defaults that suits no route', () => {
  it('is told once, where it stands, with the routes', () => {
    expect(toldOf(', deadline: 3s', ['a', 'b'])).toEqual([
      '2 defaults.policies.deadline suits no route (on routes a, b)',
    ]);
  });

  it('names some of many routes, and how many there are', () => {
    expect(toldOf(', deadline: 3s', ['a', 'b', 'c', 'd'])).toEqual([
      '2 defaults.policies.deadline suits no route (on 4 routes, such as a, b, c)',
    ]);
  });

  it('is told of the route where there is one', () => {
    expect(toldOf(', deadline: 3s', ['a'])).toEqual(['5 routes[a].policies suits no route']);
  });

  it('is no matter of defaults where they do not say it', () => {
    expect(toldOf('', ['a', 'b'])).toEqual([
      '5 routes[a].policies suits no route',
      '6 routes[b].policies suits no route',
    ]);
  });
});
