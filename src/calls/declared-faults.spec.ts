import { describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { z } from 'zod';
import { collectDeclarations } from '../config/code-ledger.ts';
import type { GatewayModule } from '../config/gateway-module.ts';
import { declaredFaults } from './declared-faults.ts';
import { httpUpstream } from './http-upstream.ts';

@Module({})
class Empty {}

const decode = z.object({});
const one = (name: string, upstreams: GatewayModule['upstreams'] = {}): GatewayModule => ({
  name,
  module: Empty,
  upstreams,
});
const http = { protocol: 'http' };

async function told(
  declare: () => void,
  offered: readonly GatewayModule[],
  on: readonly number[],
  upstreams = {},
): Promise<readonly string[]> {
  const modules = await collectDeclarations(() => {
    declare();
    return Promise.resolve([...offered]);
  });
  const switchedOn = on.map((index) => modules[index] as GatewayModule);
  return declaredFaults(modules, switchedOn, upstreams).map(
    ({ message, suggestion = '-' }) => `${message} ${suggestion}`,
  );
}

const getUser = (): unknown => httpUpstream('users').get('users.get', '/users', { decode });

describe('declaredFaults', () => {
  it('leaves calls alone that only modules make which are not switched on', async () => {
    const modules = [one('a', { users: 'http' }), one('b')];
    expect(await told(getUser, modules, [1])).toEqual([]);
    expect(await told(getUser, modules, [])).toEqual([]);
    // What the module says of itself has been told with its place in the file.
    expect(await told(getUser, modules, [0])).toEqual([]);
  });

  it('asks for the upstream of a call of which no module speaks, and for its protocol', async () => {
    expect(await told(getUser, [one('a')], [0], { user: http })).toEqual([
      'the call users.get needs the upstream "users", which is not configured user',
    ]);
    expect(await told(getUser, [one('a')], [0], { users: http })).toEqual([]);
    expect(await told(getUser, [one('a')], [0], { users: { protocol: 'grpc' } })).toEqual([
      'the call users.get speaks http, but the upstream "users" speaks grpc -',
    ]);
  });

  it('holds a module to what it says of its calls', async () => {
    expect(await told(getUser, [one('a', { users: 'grpc' })], [0], { users: { protocol: 'grpc' } })).toEqual([
      'the call users.get speaks http, but the module "a" says that its calls to "users" speak grpc -',
    ]);
  });

  it('knows nothing of modules that came as a list', () => {
    expect(declaredFaults([one('a')], [one('a')], {})).toEqual([]);
  });
});
