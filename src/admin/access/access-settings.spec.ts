import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificate } from '../../../test/support/certificates.ts';
import { useOperators, type Operators } from '../../../test/support/operators.ts';
import { ConfigError } from '../../config/config-fault.ts';
import { accessElsewhere, isLoopbackHost, readAccess } from './access-settings.ts';

let operators: Operators;
beforeEach(() => void (operators = useOperators()));
afterEach(() => operators.remove());

const file = (name: string, text: string): string => {
  const path = join(operators.folder, name);
  writeFileSync(path, text);
  return path;
};

function faultsOf(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return (error as ConfigError).faults.map(({ key }) => key);
  }
}

describe('who may come', () => {
  it.each([
    ['localhost', true],
    ['127.8.9.1', true],
    ['::1', true],
    ['127.0.0.1.evil.example', false],
    ['0.0.0.0', false],
    ['::', false],
  ])('takes %s for this machine: %s', (host, isLoopback) => expect(isLoopbackHost(host)).toBe(isLoopback));

  it('needs tokens beyond loopback, and nothing on it', () => {
    expect(readAccess({ adminHost: '127.0.0.1' })).toEqual({ entries: undefined, tls: undefined });
    expect(faultsOf(() => readAccess({ adminHost: '0.0.0.0' }))).toEqual(['ADMIN_HOST']);
    const admin = { tokensFile: operators.file };
    expect(readAccess({ adminHost: '0.0.0.0', admin } as never).entries?.tokens).toHaveLength(3);
  });

  it.each<[string, object, readonly string[]]>([
    ['a certificate without its key', { certFile: 'x' }, ['ADMIN_CERT_FILE']],
    ['an authority alone', { clientCaFile: 'x' }, ['ADMIN_CLIENT_CA_FILE', 'ADMIN_CLIENT_CA_FILE']],
    ['files that are not there', { certFile: 'x', keyFile: 'y' }, ['ADMIN_CERT_FILE', 'ADMIN_KEY_FILE']],
  ])('says of %s all that is wrong', (_what, admin, keys) => {
    expect(faultsOf(() => readAccess({ adminHost: 'localhost', admin } as never))).toEqual(keys);
  });

  it('refuses the key of another certificate', () => {
    const [one, other] = [certificate({ name: 'localhost' } as never), certificate({ name: 'b' } as never)];
    const admin = { certFile: file('a.pem', one.cert), keyFile: file('b.key', other.key) };
    expect(faultsOf(() => readAccess({ adminHost: 'localhost', admin } as never))).toEqual([
      'ADMIN_KEY_FILE',
    ]);
    writeFileSync(admin.keyFile, 'my secret');
    expect(faultsOf(() => readAccess({ adminHost: 'localhost', admin } as never))).toEqual([
      'ADMIN_KEY_FILE',
    ]);
    writeFileSync(admin.keyFile, one.key);
    expect(readAccess({ adminHost: 'localhost', admin } as never).tls).toMatchObject({
      minVersion: 'TLSv1.2',
    });
  });

  it('reads no file of what another process has judged, and lets nobody in by itself', () => {
    rmSync(operators.file);
    const environment = { adminHost: '0.0.0.0', admin: { tokensFile: operators.file } } as never;
    expect(accessElsewhere(environment)).toEqual({
      entries: { tokens: [], certificates: [] },
      tls: undefined,
    });
  });
});
