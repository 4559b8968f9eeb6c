import { expect, it } from '@jest/globals';
import { readConfig } from '../config/config-reader.ts';
import { gatewaySchema } from '../pipeline/actions.ts';
import type { RouteTable } from '../routing/route-table.ts';
import { unknownTracedRoutes } from './unknown-traced-routes.ts';

const table = { routes: [{ id: 'orders' }] } as unknown as RouteTable;

const warned = (tracing: string) =>
  unknownTracedRoutes(table, readConfig(gatewaySchema, `version: 1\n${tracing}\n`, 'gateway.yaml', {}));

it('warns of a route that there is not, with its place and the nearest name', () => {
  expect(warned('tracing: { routes: { order: { ratio: 1% }, orders: { ratio: 2% } } }')).toMatchObject([
    { file: 'gateway.yaml', line: 2, message: expect.stringContaining('did you mean "orders"?') },
  ]);
});

it('says nothing where nothing is said', () => {
  expect([warned(''), warned('tracing: off'), warned('tracing: {}')]).toEqual([[], [], []]);
});
