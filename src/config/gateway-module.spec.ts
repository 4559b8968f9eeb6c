import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { readConfig } from './config-reader.ts';
import { switchedOn, type GatewayModule } from './gateway-module.ts';

const schema = z.looseObject({
  modules: z.array(z.string()).default([]),
  upstreams: z
    .record(z.string(), z.object({ protocol: z.enum(['http', 'grpc']).default('http') }))
    .default({}),
});

class Empty {}

const MODULES: readonly GatewayModule[] = [
  { name: 'plain', module: Empty },
  { name: 'page', module: Empty, upstreams: { users: 'http', toString: 'http' as const } },
  { name: 'shop', module: Empty, upstreams: { orders: 'grpc' }, graphql: true },
  { name: 'events', module: Empty, needs: ['shop'] },
];

const read = (text: string) => switchedOn(MODULES, readConfig(schema, text, 'gateway.yaml', {}));
const namesOf = (text: string): string[] => read(text).modules.map(({ name }) => name);
const faultsOf = (text: string): string[] =>
  read(text).faults.map(({ file, line, column, key, message, suggestion }) =>
    [`${file}:${line}:${column}`, key, message, suggestion].filter((part) => part !== undefined).join(' | '),
  );

describe(switchedOn, () => {
  it.each(['version: 1', 'modules: []', 'upstreams: { users: {}, orders: { protocol: grpc } }'])(
    'switches on nothing that is not listed: %s',
    (text) => expect(read(text)).toEqual({ modules: [], faults: [] }),
  );

  it('switches on what is listed, in the order of the file', () => {
    const text = 'modules: [events, shop, plain]\nupstreams: { orders: { protocol: grpc } }';
    expect([namesOf(text), faultsOf(text)]).toEqual([['events', 'shop', 'plain'], []]);
  });

  it('says where an unknown name stands, and what was likely meant', () => {
    expect(faultsOf('modules:\n  - plain\n  - shp\n  - zebra')).toEqual([
      'gateway.yaml:3:5 | modules[1] | there is no module "shp" | shop',
      'gateway.yaml:4:5 | modules[2] | there is no module "zebra"; expected one of plain, page, shop, events',
    ]);
  });

  it('says where a name stands again', () => {
    expect(faultsOf('modules: [plain, plain]')).toEqual([
      'gateway.yaml:1:18 | modules[1] | "plain" is listed twice',
    ]);
    expect(namesOf('modules: [plain, plain]')).toEqual(['plain']);
  });

  it('names module and upstream of each upstream that is missing, and the nearest that there is', () => {
    expect(faultsOf('modules: [page]\nupstreams: { user: {} }')).toEqual([
      'gateway.yaml:1:11 | modules[0] | the module "page" calls the upstream "users", and there is none of that name | user',
      'gateway.yaml:1:11 | modules[0] | the module "page" calls the upstream "toString", and there is none of that name; add it under `upstreams`',
    ]);
  });

  it('says how to add an upstream that is missing', () => {
    expect(faultsOf('modules: [shop]')).toEqual([
      'gateway.yaml:1:11 | modules[0] | the module "shop" calls the upstream "orders", and there is none of that name; add it under `upstreams`, with `protocol: grpc`',
    ]);
  });

  it('says when there is nothing to switch on', () => {
    const { faults } = switchedOn([], readConfig(schema, 'modules: [shop]', 'gateway.yaml', {}));
    expect(faults[0]?.message).toBe('there is no module "shop": this gateway offers none');
  });

  it.each([
    ['upstreams: { orders: { protocol: http } }', '2:24'],
    ['upstreams: { orders: {} }', '2:14'],
  ])('names module and upstream of one that speaks another protocol: %s', (upstreams, place) => {
    expect(faultsOf(`modules: [shop]\n${upstreams}`)).toEqual([
      `gateway.yaml:${place} | upstreams[orders].protocol | expected \`grpc\`, which the calls of the module "shop" speak; it is http`,
    ]);
  });

  it('asks for the modules that a module needs, and checks the rest as if they were listed', () => {
    const text = 'modules: [events]\nupstreams: { orders: { protocol: grpc } }';
    expect(faultsOf(text)).toEqual([
      'gateway.yaml:1:11 | modules[0] | the module "events" needs the module "shop"; list it too',
    ]);
    expect(namesOf(text)).toEqual(['events', 'shop']);
  });

  it('refuses two modules of one name, which code would offer', () => {
    const source = readConfig(schema, 'modules: [plain]', 'gateway.yaml', {});
    const { faults } = switchedOn([...MODULES, { name: 'plain', module: Empty }], source);
    expect(faults).toEqual([{ file: 'gateway', key: '', message: 'two modules are called "plain"' }]);
  });

  it('refuses a section of a GraphQL door that is not there', () => {
    const fault =
      'gateway.yaml:2:1 | graphql | there is no GraphQL door: no module of `modules` adds to the schema';
    expect(faultsOf('modules: [plain]\ngraphql: {}')).toEqual([fault]);
    expect(faultsOf('modules: [shp]\ngraphql: {}')).toEqual([expect.stringContaining('"shp"')]);
    expect(faultsOf('modules: [shop]\ngraphql: {}\nupstreams: { orders: { protocol: grpc } }')).toEqual([]);
  });
});
