import { expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Rollouts } from '../../src/canary/rollouts.ts';
import { call } from '../support/client.ts';
import { startGateway } from '../support/gateway.ts';

const post = (url: string, body: object) =>
  call(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-gatehouse-admin': 'spec' },
    body: JSON.stringify(body),
  });
const text = (canary?: object) =>
  JSON.stringify({
    version: 1,
    upstreams: { it: { targets: ['http://127.0.0.1:1'] }, new: { targets: ['http://127.0.0.1:2'] } },
    routes: [
      {
        id: 'it',
        match: { path: '/it' },
        upstream: 'it',
        policies: { authentication: 'public' },
        ...(canary && { canary }),
      },
    ],
  });

it('a rollout begins when its configuration comes into force, not when somebody looks at that', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'canary-'));
  const file = join(folder, 'gateway.yaml');
  writeFileSync(file, text());
  const gateway = await startGateway({ config: text(), file });
  try {
    writeFileSync(
      file,
      text({ upstream: 'new', steps: ['10%', '50%'], stepTime: '1s', progressDeadline: '2s', warmUp: '1s' }),
    );
    const dry = (await post(`${gateway.adminUrl}/config/reload`, { dryRun: true })).json();
    expect(dry).toMatchObject({ outcome: 'reloaded' });
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await gateway.gateway.reload('SIGHUP');
    await new Promise((resolve) => setTimeout(resolve, 300));
    const [rollout] = gateway.gateway.app.get(Rollouts).list();
    expect(rollout?.state.status).toBe('running');
  } finally {
    await gateway.stop();
    rmSync(folder, { recursive: true });
  }
}, 30_000);
