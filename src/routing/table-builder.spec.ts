import { forwardKindOf } from '../../test/support/routes.ts';
import { Controller, Get } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { ConfigError } from '../config/config-fault.ts';
import { readConfig } from '../config/config-reader.ts';
import { Public } from '../policies/authentication/authentication.policy.ts';
import { DeadlineStageFactory } from '../policies/deadline/deadline.stage.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import { gatewaySchema } from '../pipeline/actions.ts';
import { buildRouteTable, type TableDeps } from './table-builder.ts';

@Controller('orders')
class OrdersController {
  @Public()
  @Get(':id')
  one(): void {}

  @Get()
  forgotten(): void {}
}

@Public()
@Controller('things')
class ThingsController {
  @Get(':id')
  one(): void {}
}

const HEAD = `
version: 1
upstreams:
  users: { targets: ['http://127.0.0.1:1'], policies: { deadline: 3s } }
`;

function build(text: string, controllers: TableDeps['controllers'] = []) {
  const source = readConfig(gatewaySchema, HEAD + text, 'gateway.yaml', {});
  const metrics = new Metrics();
  const upstreams = new UpstreamRegistry(source.value.upstreams, pino({ level: 'silent' }), metrics);
  const factories = [new DeadlineStageFactory()];
  const actions = [forwardKindOf(metrics)];
  return buildRouteTable({ source, controllers, definitions: [], factories, actions, upstreams, metrics });
}

function faultsOf(text: string, controllers: TableDeps['controllers'] = []) {
  try {
    build(text, controllers);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  throw new Error('the table was built');
}

const ROUTE = 'match: { path: /a }, upstream: users, policies: { authentication: public }';

describe('buildRouteTable', () => {
  it('holds the routes of both doors', () => {
    const table = build(`routes:\n  - { id: a, ${ROUTE} }\n`, [ThingsController]);
    expect(table.routes.map(({ id, door, origin }) => ({ id, door, origin }))).toEqual([
      { id: 'a', door: 'proxy', origin: 'gateway.yaml:6:5' },
      { id: 'things.one', door: 'handler', origin: 'ThingsController.one' },
    ]);
  });

  it('gives a route the parsed policies of its upstream', () => {
    const table = build(`routes:\n  - { id: a, ${ROUTE} }\n`);
    expect(table.byId('a')?.policies.deadline).toBe(3000);
  });

  it('lists the faults of all routes at once, each at its place', () => {
    const faults = faultsOf(`
routes:
  - id: one
    match: { path: /one// }
    upstream: users
  - id: two
    match: { path: /two }
    upstream: user
    policies: { authentication: public }
  - id: three
    match: { path: /three }
    upstream: users
`);
    expect(faults).toEqual([
      {
        file: 'gateway.yaml',
        line: 8,
        column: 14,
        routeId: 'one',
        key: 'routes[one].match.path',
        message: 'expected no empty segment in "/one//"',
        suggestion: undefined,
      },
      expect.objectContaining({
        line: 12,
        key: 'routes[two].upstream',
        message: 'there is no upstream "user"',
        suggestion: 'users',
      }),
      expect.objectContaining({
        line: 14,
        key: 'routes[three].policies.authentication',
        message: expect.stringContaining('does not say who may call it'),
      }),
    ]);
  });

  it('places a duplicate id at the second route, naming the place of the first', () => {
    expect(
      faultsOf(`routes:\n  - { id: a, ${ROUTE} }\n  - { id: a, ${ROUTE.replace('/a', '/b')} }\n`),
    ).toEqual([
      expect.objectContaining({
        line: 7,
        key: 'routes[a].id',
        message: 'the id "a" is taken by gateway.yaml:6:5',
      }),
    ]);
  });

  it('places what is wrong with a controller at its handler', () => {
    expect(faultsOf('', [OrdersController])).toEqual([
      {
        file: 'OrdersController.forgotten',
        key: 'policies.authentication',
        message: expect.stringContaining('does not say who may call it'),
        suggestion: undefined,
        code: expect.anything(),
      },
    ]);
  });

  it('finds a YAML route that a controller hides', () => {
    const route = ROUTE.replace('path: /a', 'path: /things/special, methods: [GET]');
    expect(faultsOf(`routes:\n  - { id: a, ${route} }\n`, [ThingsController])).toEqual([
      expect.objectContaining({
        line: 6,
        key: 'routes[a].match',
        message:
          'can never be reached: ThingsController.one (route "things.one", /things/{id}) takes the same requests first',
      }),
    ]);
  });

  it('does not take a YAML route for the one of a controller that has the same id', () => {
    const faults = faultsOf(`routes:\n  - { id: things.one, ${ROUTE} }\n`, [ThingsController]);
    expect(faults).toEqual([
      {
        file: 'ThingsController.one',
        key: 'id',
        message: 'the id "things.one" is taken by gateway.yaml:6:5',
        suggestion: undefined,
        code: expect.anything(),
      },
    ]);
  });
});
