import { expect, it } from '@jest/globals';
import { resolve } from 'node:path';
import { readConfig } from '../config/config-reader.ts';
import { gatewaySchema } from '../pipeline/actions.ts';
import { namedFiles } from './named-files.ts';

const TEXT = `
version: 1
listeners:
  - port: 8443
    tls: { certificates: [{ cert: tls/a.pem, key: /run/a.key }] }
cache: { encryptionKeysFile: cache.keys }
identity:
  signing: { keys: [sign.pem] }
  issuers: [{ issuer: 'https://id.test', secretFile: shared, audiences: [a] }]
upstreams:
  one: { targets: ['https://127.0.0.1:1'], tls: { ca: ca.pem }, sticky: { secretFile: sticky } }
  two: { discovery: { consul: { service: two, tokenFile: consul.token } } }
`;

it('are certificates, keys and secrets, each from where it starts, and not what is read for each question', () => {
  const source = readConfig(gatewaySchema, TEXT, '/etc/gatehouse/gateway.yaml', {});
  expect(namedFiles(source).toSorted()).toEqual(
    [
      '/etc/gatehouse/ca.pem',
      '/etc/gatehouse/cache.keys',
      '/etc/gatehouse/sign.pem',
      '/etc/gatehouse/sticky',
      '/etc/gatehouse/tls/a.pem',
      '/run/a.key',
      resolve('shared'),
    ].toSorted(),
  );
});
