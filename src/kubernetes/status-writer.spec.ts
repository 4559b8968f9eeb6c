import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createLogger } from '../telemetry/logger.ts';
import { LogLines } from '../testing/log-lines.ts';
import { resourceOf, type Resource } from './resource.ts';
import { StatusWriter } from './status-writer.ts';
import { FollowedTestCluster, until } from './test-cluster.fixture.ts';

const ACCEPTED = { conditions: [{ type: 'Accepted', status: 'True', reason: 'Accepted', message: '' }] };

describe('StatusWriter', () => {
  let world: FollowedTestCluster;
  let writer: StatusWriter;
  let outcomes: string[];
  let log: LogLines;

  beforeEach(async () => {
    outcomes = [];
    log = new LogLines(Infinity);
    world = await FollowedTestCluster.start();
    world.cluster.apply({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GatewayClass',
      metadata: { name: 'g' },
      spec: {},
    });
    writer = new StatusWriter({
      api: world.api,
      logger: createLogger('info', log),
      controller: 'c',
      lease: { name: 'gatehouse' },
      wrote: (outcome) => outcomes.push(outcome),
    });
    writer.start();
  });

  afterEach(async () => {
    await writer.close();
    world.stop();
  });

  const current = (): Resource => resourceOf('GatewayClass', world.cluster.get('GatewayClass', 'g'));
  const wants = (of = current()): void => writer.wants([{ kind: 'GatewayClass', of, status: ACCEPTED }]);

  it('writes as the leader, once', async () => {
    wants();
    await until(() => writer.isLeader && outcomes.length === 1);
    expect(world.cluster.get('GatewayClass', 'g')?.status).toMatchObject(ACCEPTED);
    // What is written after it shows that the first was not written again.
    const other = { ...ACCEPTED, addresses: [] };
    writer.wants([
      { kind: 'GatewayClass', of: current(), status: ACCEPTED },
      { kind: 'GatewayClass', of: current(), status: other },
    ]);
    await until(() => outcomes.length > 1);
    expect(outcomes).toEqual(['written', 'written']);
  });

  it('leaves alone what somebody else has changed meanwhile', async () => {
    const before = current();
    world.cluster.apply({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GatewayClass',
      metadata: { name: 'g' },
      spec: { controllerName: 'x/y' },
    });
    wants(before);
    await until(() => outcomes.length > 0);
    expect([outcomes, log.lines.filter(({ msg }) => /cannot be written/.test(String(msg)))]).toEqual([
      ['conflict'],
      [],
    ]);
  });

  it('tries again what could not be written, and says why', async () => {
    world.cluster.instead = (path) => (path.endsWith('/status') ? 403 : undefined);
    wants();
    await until(() => outcomes.includes('failed'));
    expect(log.lines.find(({ msg }) => /cannot be written/.test(String(msg)))).toMatchObject({
      object: 'GatewayClass g',
    });
    world.cluster.instead = undefined;
    await until(() => outcomes.at(-1) === 'written');
    expect(world.cluster.get('GatewayClass', 'g')?.status).toMatchObject(ACCEPTED);
  });
});
