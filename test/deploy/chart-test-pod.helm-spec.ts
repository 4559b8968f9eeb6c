import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { KUBERNETES } from '../../scripts/kubernetes-tools.ts';
import { CHART, renderChart } from '../../scripts/render-chart.ts';
import { certificate } from '../support/certificates.ts';
import { manifestsIn, ofKind } from './manifests.ts';

const pod = z.looseObject({
  containers: z.tuple([
    z.looseObject({
      env: z.array(z.strictObject({ name: z.string(), value: z.string() })),
      command: z.array(z.string()),
    }),
  ]),
});

/** The container of `helm test` of an example. */
function testOf(example: string) {
  const { stdout } = renderChart(['--values', `${CHART}/examples/${example}.yaml`], KUBERNETES[1]);
  const [found] = ofKind(manifestsIn(stdout), 'Pod');
  const [container] = pod.parse(found?.spec).containers;
  return { ready: container.env[0]?.value, command: container.command };
}

/** What the container ends with when it asks a place. */
async function run(ready: string): Promise<number | null> {
  const [, ...args] = testOf('minimal').command;
  const child = spawn(process.execPath, args, { env: { READY: ready }, stdio: 'ignore' });
  const [code] = (await once(child, 'close')) as [number | null];
  return code;
}

describe('the pod of helm test', () => {
  let status = 200;
  const { cert, key } = certificate({ name: 'api.example.com' });
  const servers = [createServer(), createSecureServer({ cert, key })];
  const urls: string[] = [];

  beforeAll(async () => {
    for (const [index, server] of servers.entries()) {
      server.on('request', (_request, response) => response.writeHead(status).end());
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const { port } = server.address() as AddressInfo;
      urls.push(`${index === 0 ? 'http' : 'https'}://127.0.0.1:${port}/health/ready`);
    }
  });
  afterAll(() => servers.forEach((server) => server.close()));

  it('asks the Service where the probes ask the pod', () => {
    expect(testOf('minimal').ready).toBe('http://gatehouse:80/health/ready');
    expect(testOf('production').ready).toBe('https://gatehouse:443/health/ready');
  });

  it.each([0, 1])(
    'passes when it is ready, and fails when it is not, in the clear and over TLS (%d)',
    async (index) => {
      status = 200;
      expect(await run(urls[index] ?? '')).toBe(0);
      status = 503;
      expect(await run(urls[index] ?? '')).toBe(1);
    },
  );

  it('fails when nobody listens', async () => {
    expect(await run('http://127.0.0.1:1/health/ready')).toBe(1);
  });
});
