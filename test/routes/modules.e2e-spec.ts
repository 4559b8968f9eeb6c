import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Module } from '@nestjs/common';
import { Query, Resolver } from '@nestjs/graphql';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeRoutes } from '../../src/admin/route-listing.ts';
import type { GatewayModule } from '../../src/config/gateway-module.ts';
import { readConfig } from '../../src/config/config-reader.ts';
import { readEnvironment } from '../../src/config/env.schema.ts';
import { createGateway, type Gateway } from '../../src/main.ts';
import { gatewaySchema } from '../../src/pipeline/actions.ts';
import { Snapshots } from '../../src/snapshot/snapshots.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { ensureBuilt, runBin, startChild } from '../support/child.ts';
import { call } from '../support/client.ts';
import { startUpstream, type TestUpstream } from '../support/upstream.ts';

const OWN = ['contracts.document', 'contracts.file', 'contracts.page', 'health.live', 'health.ready'];

let folder: string;
let upstream: TestUpstream;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-modules-'));
  upstream = await startUpstream();
  await ensureBuilt();
}, 60_000);
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await upstream.stop();
});

describe('a configuration whose upstreams have the names of the sample', () => {
  const NAMES = ['orders', 'users', 'feed', 'notifications'];
  const SAMPLE = ['/graphql', '/api/v1/orders', '/api/v1/orders/1', '/api/homepage'];
  let file: string;

  beforeAll(() => {
    file = join(folder, 'stranger.yaml');
    const upstreams = NAMES.map((name) => `  ${name}: { targets: ['${upstream.url}'] }\n`);
    const routes = NAMES.map(
      (name) => `  - { id: ${name}, match: { path: /${name}/* }, upstream: ${name} }\n`,
    );
    const open = 'defaults: { policies: { authentication: public } }';
    writeFileSync(file, `version: 1\n${open}\nupstreams:\n${upstreams.join('')}routes:\n${routes.join('')}`);
  });

  it('starts, and serves its own routes and nothing else', async () => {
    const gateway = await startChild(file, { LOG_LEVEL: 'info' });
    for (const name of NAMES) expect((await call(`${gateway.url}/${name}/1`)).status).toBe(200);
    for (const path of SAMPLE) {
      expect((await call(gateway.url + path)).json()).toMatchObject({ status: 404, code: 'route-not-found' });
    }
    const documented = Object.keys(
      ((await call(`${gateway.url}/openapi.json`)).json() as { paths: object }).paths,
    );
    expect(documented.filter((path) => path.includes('graphql') || path.startsWith('/api'))).toEqual([]);
    expect(await gateway.end()).toBe(0);
    expect(gateway.lines().filter(({ level }) => Number(level) >= 40)).toEqual([]);
  }, 60_000);

  it('is valid, and lists nothing else', async () => {
    const { code, stdout, stderr } = await runBin(['validate', '--config', file]);
    expect([code, stdout, stderr]).toEqual([
      0,
      `${file}: valid, ${NAMES.length} routes in the file, ${OWN.length} in code\n`,
      '',
    ]);
    const listed = await runBin(['routes', '--config', file]);
    const ids = listed.stdout
      .split('\n')
      .slice(1, -1)
      .map((line) => line.split(' ')[0]);
    expect(ids.toSorted()).toEqual([...OWN, ...NAMES].toSorted());
  }, 60_000);
});

describe('createGateway with modules of a team', () => {
  @Controller('team')
  class TeamController {
    @Get()
    say(): string {
      return 'team';
    }
  }
  @Module({ controllers: [TeamController] })
  class TeamModule {}
  @Resolver()
  class AskedResolver {
    @Query(() => String)
    asked(): string {
      return 'asked';
    }
  }
  @Module({ providers: [AskedResolver] })
  class AskedModule {}
  const modules: readonly GatewayModule[] = [
    { name: 'team', module: TeamModule },
    { name: 'asked', module: AskedModule, graphql: true },
  ];
  let gateway: Gateway;

  async function start(names: string): Promise<string[]> {
    const text = `version: 1\ndefaults: { policies: { authentication: public } }\nmodules: ${names}`;
    const environment = readEnvironment({ PORT: '0', ADMIN_PORT: '0', HOST: '127.0.0.1', DRAIN_DELAY: '0s' });
    const source = readConfig(gatewaySchema, text, 'gateway.yaml', {});
    gateway = await createGateway({ environment, source, modules, logger: createLogger('silent') });
    await gateway.listen();
    const ids = describeRoutes(gateway.app.get(Snapshots).current.table.routes).map(({ id }) => id);
    return ids.filter((id) => !OWN.includes(id)).toSorted();
  }
  afterEach(() => gateway.close());

  it.each([
    ['[]', []],
    ['[team]', ['team.say']],
    ['[asked]', ['graphql']],
    ['[asked, team]', ['graphql', 'team.say']],
  ])('serves those that are listed and no others: %s', async (names, ids) => {
    expect(await start(names)).toEqual(ids);
    const isListed = (id: string): boolean => ids.includes(id);
    expect((await call(`${gateway.url}/team`)).status).toBe(isListed('team.say') ? 200 : 404);
    const asked = await call(`${gateway.url}/graphql?query={asked}`);
    if (isListed('graphql')) expect(asked.json()).toEqual({ data: { asked: 'asked' } });
    else expect(asked.json()).toMatchObject({ code: 'route-not-found' });
  });
});
