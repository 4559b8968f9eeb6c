import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Snapshots } from '../../src/snapshot/snapshots.ts';
import { call, open as openAnswer } from '../support/client.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { heldBy, reload, until } from '../support/reload.ts';
import { echo, startUpstream, type TestUpstream } from '../support/upstream.ts';

const ROUNDS = 5;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

let service: TestUpstream;
let gateway: TestGateway;

const config = (round: number): object => ({
  version: 1,
  contracts: { enabled: false },
  defaults: { policies: { authentication: 'public' } },
  upstreams: { it: { targets: [service.url], maxConnections: 10 + round } },
  routes: [{ id: 'one', match: { path: '/one/*' }, upstream: 'it' }],
});

beforeAll(async () => {
  service = await startUpstream();
  gateway = await startGateway({ config: JSON.stringify(config(0)) });
});
afterAll(async () => {
  await gateway.stop();
  await service.stop();
});

function inForce(): WeakRef<object>[] {
  const { source, table, upstreams } = gateway.gateway.app.get(Snapshots).current;
  return [source, table, upstreams].map((one) => new WeakRef<object>(one));
}

describe('after reloads, with nobody asking', () => {
  it('the memory holds nothing of earlier configurations, though exchanges outlasted theirs', async () => {
    const finish: (() => void)[] = [];
    service.listener = (_request, response) => {
      response.writeHead(200).write('first ');
      finish.push(() => response.end('last'));
    };
    // The file of the start stays where Nest has it as a provider.
    await reload(gateway, config(0));
    const earlier: WeakRef<object>[] = [];
    const answers = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      earlier.push(...inForce());
      answers.push(await openAnswer(`${gateway.url}/one/x`));
      await reload(gateway, config(round));
    }
    expect(heldBy(gateway)).toBe(ROUNDS + 1);
    const living = (): number => {
      collect();
      return earlier.filter((one) => one.deref() !== undefined).length;
    };
    await new Promise((resolve) => setImmediate(resolve));
    expect(living()).toBe(3 * ROUNDS);
    finish.forEach((end) => end());
    for (const answer of answers) for await (const _piece of answer);
    // Nothing but the end of its exchanges lets one go: asking how many are held is not what does it.
    await until(() => living() === 0);
  });

  it('metrics show routes that left until the reload after, those that are used as long as they are, and no others', async () => {
    service.listener = echo;
    const shown = async (): Promise<string[]> => {
      const { text } = await call(`${gateway.adminUrl}/metrics`);
      const ids = [...text.matchAll(/route="(passing-\d+)"/g)].map(([, id]) => id as string);
      return [...new Set(ids)];
    };
    const passing = (round: number): object => ({
      ...config(round),
      routes: [{ id: `passing-${round}`, match: { path: '/passing/*' }, upstream: 'it', policies }],
    });
    const policies = { rateLimit: { key: 'ip', rate: 1000, per: '1s' } };
    for (let round = 1; round <= ROUNDS; round += 1) {
      await reload(gateway, passing(round));
      expect((await call(`${gateway.url}/passing/x`)).status).toBe(200);
    }
    expect(await shown()).toEqual([`passing-${ROUNDS - 1}`, `passing-${ROUNDS}`]);
    let finish = (): void => undefined;
    service.listener = (_request, response) => {
      response.writeHead(200).write('first ');
      finish = () => void response.end('last');
    };
    const answer = await openAnswer(`${gateway.url}/passing/x`);
    for (let round = 0; round < 3; round += 1) await reload(gateway, config(round));
    expect(await shown()).toEqual([`passing-${ROUNDS}`]);
    finish();
    for await (const _piece of answer);
    await until(() => heldBy(gateway) === 1);
    await reload(gateway, config(0));
    expect(await shown()).toEqual([]);
  });
});
