import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleText } from '../../src/config/config-bundle.ts';
import { readConfig } from '../../src/config/config-reader.ts';
import { configForm, gatewaySchema } from '../../src/pipeline/actions.ts';
import { readGateway } from '../../src/routing/teams/read-gateway.ts';
import { SnapshotCompiler } from '../../src/snapshot/snapshot-compiler.ts';
import { Snapshots } from '../../src/snapshot/snapshots.ts';
import { certificate } from '../support/certificates.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { configOf, examplesOf } from './examples.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGES = globSync(['README.md', 'docs/**/*.md'], { cwd: ROOT, exclude: ['docs/adr/**'] }).toSorted();
const EXAMPLES = PAGES.flatMap((page) =>
  examplesOf(readFileSync(join(ROOT, page), 'utf8')).map((example) => ({
    place: `${page}:${example.line}`,
    ...example,
  })),
);
const VARIABLES = {
  OIDC_CLIENT_SECRET: 'x'.repeat(32),
  SESSION_KEYS: 'x'.repeat(32),
  ZONE: 'eu-1a',
  STICKY_SECRET: 's'.repeat(32),
  CONSUL_HTTP_TOKEN: 'token',
  EXCHANGE_SECRET: 'secret',
  INTROSPECTION_SECRET: 'secret',
  GATEWAY_KEY: generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
};

// As they would be read: each is found by the last entry, which is for all.
function withFiles(main: string, files: (typeof EXAMPLES)[number]['files']): string {
  const { include = [] } = JSON.parse(main) as { include?: readonly unknown[] };
  const parts = files.map((one) => ({ ...one, entry: include.length - 1 }));
  return bundleText({ main, patterns: include.map(() => []), parts, faults: [] });
}

describe('the examples of the pages', () => {
  let folder: string;
  let gateway: TestGateway;
  const before = { ...process.env };

  beforeAll(async () => {
    Object.assign(process.env, VARIABLES);
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-examples-'));
    mkdirSync(join(folder, 'tls'));
    mkdirSync(join(folder, 'keys'));
    for (const month of ['10', '11']) {
      const { privateKey } = generateKeyPairSync('ed25519');
      const pem = privateKey.export({ format: 'pem', type: 'pkcs8' });
      writeFileSync(join(folder, `keys/2026-${month}.pem`), pem);
    }
    const { cert, key } = certificate({ name: 'example', hosts: ['api.example.com'], isAuthority: true });
    for (const name of ['a', 'api', 'wildcard', 'clients']) {
      writeFileSync(join(folder, `tls/${name}.pem`), cert);
      writeFileSync(join(folder, `tls/${name}.key`), key);
    }
    gateway = await startGateway({
      config: configOf({ version: 1 }),
      // Nobody answers there; it is only said that there is one.
      environment: { REDIS_URL: 'redis://127.0.0.1:1' },
    });
  });
  afterAll(async () => {
    for (const name of Object.keys(VARIABLES)) delete process.env[name];
    Object.assign(process.env, before);
    await gateway?.stop();
    rmSync(folder, { recursive: true });
  });

  // A configuration as a reload would take it; one gateway compiles them all.
  it.each(EXAMPLES)('$place is a configuration', async ({ value, files }) => {
    const { app } = gateway.gateway;
    const variables = VARIABLES;
    const source = readGateway(configForm, withFiles(configOf(value), files), join(folder, 'gateway.yaml'), {
      variables,
    });
    expect(source.teams?.sources.length ?? 0).toBe(files.length);
    (await app.get(SnapshotCompiler).next(source, app.get(Snapshots).current)).discard();
  });

  it('are found', () => {
    expect(EXAMPLES.length).toBeGreaterThan(50);
  });

  it.each([
    ['a key that there is not', { policies: { bodyLimits: '1MiB' } }, 'bodyLimits'],
    ['an option that there is not', { cors: { origin: '*' } }, 'origin'],
    [
      'a route that cannot be',
      { routes: [{ id: 'a', match: { path: '/a//' }, upstream: 'users' }] },
      'segment',
    ],
  ])('are refused with %s', async (_what, value, message) => {
    const { app } = gateway.gateway;
    const act = async (): Promise<void> => {
      const source = readConfig(gatewaySchema, configOf(value), join(folder, 'gateway.yaml'), VARIABLES);
      (await app.get(SnapshotCompiler).next(source, app.get(Snapshots).current)).discard();
    };
    await expect(act()).rejects.toThrow(message);
  });
});
