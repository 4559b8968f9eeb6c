import { afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tmpdir } from 'node:os';
import { certificate } from '../support/certificates.ts';
import { ensureBuilt, runBin, startChild, type ChildGateway } from '../support/child.ts';
import { call } from '../support/client.ts';
import { configText, deploymentOf, plainManifests, type Manifest } from './manifests.ts';

// Processes of their own.
jest.setTimeout(60_000);

/** Where a pod has what is mounted. */
const MOUNTED = /\/(?:etc|run)\/gatehouse\//g;
const SECRET = 'a secret of the tests with 32 characters and more';

let folder: string;
let gateway: ChildGateway | undefined;

beforeAll(() => ensureBuilt(), 60_000);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-pod-'));
});
afterEach(async () => {
  await gateway?.end();
  rmSync(folder, { recursive: true });
});

/** What a pod says to its gateway, with its folders below one of this machine. */
function podOf(manifests: readonly Manifest[]) {
  const here = (text: string): string => text.replaceAll(MOUNTED, (mounted) => join(folder, mounted, '/'));
  const [container] = deploymentOf(manifests).spec.template.spec.containers;
  const environment = Object.fromEntries(container.env.map(({ name, value }) => [name, here(value)]));
  const write = (file: string, text: string): void => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  const config = environment['GATEHOUSE_CONFIG'] ?? '';
  write(config, here(configText(manifests) ?? ''));
  return { container, environment, config, mount: (at: string, text: string) => write(here(at), text) };
}

describe('minimal.yaml', () => {
  it('starts, answers its probes, and ends within its drain', async () => {
    const { container, environment, config } = podOf(plainManifests('minimal.yaml'));
    const own = { ...environment, PORT: '0', HOST: '127.0.0.1', ADMIN_PORT: '0', DRAIN_DELAY: '0s' };
    gateway = await startChild(config, own);
    for (const { httpGet } of [container.startupProbe, container.readinessProbe, container.livenessProbe])
      expect((await call(`${gateway.url}${httpGet.path}`)).status).toBe(200);
    expect(new URL(gateway.adminUrl).hostname).toBe('127.0.0.1');
    expect(await gateway.end()).toBe(0);
  });
});

describe('production.yaml', () => {
  const names = ['tls/public', 'operators-tls', 'redis-tls'];

  function mounted() {
    const pod = podOf(plainManifests('production.yaml'));
    const { cert, key } = certificate({ name: 'gatehouse.test' });
    for (const name of names) {
      pod.mount(`/run/gatehouse/${name}/tls.crt`, cert);
      pod.mount(`/run/gatehouse/${name}/tls.key`, key);
      pod.mount(`/run/gatehouse/${name}/ca.crt`, cert);
    }
    pod.mount('/run/gatehouse/redis-password/password', 'hunter2\n');
    pod.mount('/run/gatehouse/secrets/login/client-secret', `${SECRET}\n`);
    pod.mount('/run/gatehouse/secrets/login/session-keys', `${SECRET}\n${SECRET.toUpperCase()}\n`);
    pod.mount(
      '/run/gatehouse/operators/tokens.yaml',
      `tokens: [{ name: p, role: read, sha256: ${'a'.repeat(64)} }]\n`,
    );
    return pod;
  }

  it('is valid with the Secrets that it names', async () => {
    const { environment, config } = mounted();
    const { code, stdout, stderr } = await runBin(['validate', '--config', config], environment);
    expect(`${stdout}${stderr}`).not.toContain('expected');
    expect(code).toBe(0);
  });

  it.each([
    ['/run/gatehouse/secrets/login/session-keys', 'keysFile'],
    ['/run/gatehouse/secrets/login/client-secret', 'clientSecretFile'],
    ['/run/gatehouse/redis-password/password', 'REDIS_PASSWORD_FILE'],
    ['/run/gatehouse/operators/tokens.yaml', 'ADMIN_TOKENS_FILE'],
    ['/run/gatehouse/tls/public/tls.key', 'tls.key'],
  ])('is a fault that names its place without %s', async (file, key) => {
    const { environment, config } = mounted();
    rmSync(join(folder, file));
    const { code, stdout, stderr } = await runBin(['validate', '--config', config], environment);
    expect(code).toBe(1);
    expect(`${stdout}${stderr}`).toContain(key);
  });
});
