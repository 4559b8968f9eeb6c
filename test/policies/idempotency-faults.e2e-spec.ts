import { afterEach, describe, expect, it } from '@jest/globals';
import { ConfigError, type ConfigFault } from '../../src/config/config-fault.ts';
import { checkGateway } from '../support/gateway.ts';

const configOf = (idempotency: string, methods: string): string => `
version: 1
defaults: { policies: { authentication: public, idempotency: ${idempotency} } }
upstreams: { it: { targets: [http://127.0.0.1:1] } }
routes:
  - { id: it, match: { path: /it, methods: ${methods} }, upstream: it }
`;

async function faultsOf(idempotency: string, methods = '[POST]'): Promise<readonly ConfigFault[]> {
  const refused = await checkGateway({ config: configOf(idempotency, methods) }).then(
    () => new ConfigError([]),
    (error: unknown) => error,
  );
  if (!(refused instanceof ConfigError)) throw refused;
  return refused.faults;
}

describe('a default for keys', () => {
  it('is none of routes that take neither POST nor PATCH, the public ones of the gateway among them', async () => {
    expect(await faultsOf('{}', '[GET, PUT, DELETE]')).toEqual([]);
  });

  it.each(['[GET, POST]', '[PATCH]'])('is refused at a public route that takes %s', async (methods) => {
    const faults = await faultsOf('{}', methods);
    expect(faults).toMatchObject([{ key: 'routes[it].policies.idempotency.anonymous' }]);
    expect(faults[0]?.message).toMatch(
      /`address` keeps callers apart by their addresses, `idempotency: off`/,
    );
  });

  it('says that callers are kept apart by their addresses, or holds for no public route', async () => {
    expect(await faultsOf('{ anonymous: address }')).toEqual([]);
    expect(await faultsOf('off')).toEqual([]);
  });
});

describe('secrets that kept answers are encrypted with', () => {
  const VARIABLE = 'IDEMPOTENCY_SECRETS_OF_A_TEST';
  const encrypted = `{ anonymous: address, encryptionKeysEnv: ${VARIABLE} }`;

  afterEach(() => {
    delete process.env[VARIABLE];
  });

  it.each([
    [undefined, `set the environment variable ${VARIABLE}`],
    [' , ', `set the environment variable ${VARIABLE}`],
    ['short', `expected ${VARIABLE} to have 32 characters or more for each secret, there are 5`],
  ])('are %s', async (secrets, message) => {
    if (secrets !== undefined) process.env[VARIABLE] = secrets;
    expect(await faultsOf(encrypted)).toMatchObject([
      { key: 'routes[it].policies.idempotency.encryptionKeysEnv', message },
    ]);
  });

  it('are asked of nobody where no request has a key', async () => {
    expect(await faultsOf(encrypted, '[GET]')).toEqual([]);
  });
});
