import { describe, expect, it } from '@jest/globals';
import { certificate } from '../../../test/support/certificates.ts';
import { areAuthorities, certificateOf } from './certificates.ts';
import { settingsOf, viewOf } from './scene.fixture.ts';

const FROM = { group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'default' };
const own = certificate({ name: 'a.test', hosts: ['a.test'] });
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const secret = (cert: string, key: string): string =>
  `kind: Secret\nmetadata: { name: s }\ndata: { tls.crt: ${base64(cert)}, tls.key: ${base64(key)} }\n`;

function read(text: string, ref: Record<string, unknown> = { name: 's' }): unknown {
  const written: string[] = [];
  const settings = settingsOf({ fileOf: (content, kind) => `${kind} ${written.push(content)}` });
  return { ...certificateOf(ref, FROM, 'f', { view: viewOf(text), settings }), written };
}

describe('certificateOf', () => {
  it('is a certificate and its key, as files', () => {
    expect(read(secret(own.cert, own.key))).toEqual({
      cert: 'crt 1',
      key: 'key 2',
      written: [own.cert, own.key],
    });
  });

  it.each([
    [
      'a key of another certificate',
      secret(own.cert, certificate({ name: 'b.test' }).key),
      { name: 's' },
      /are no certificate/,
    ],
    [
      'no certificate',
      secret('none', own.key),
      { name: 's' },
      /tls\.crt and tls\.key of the Secret default\/s/,
    ],
    [
      'no Secret',
      secret(own.cert, own.key),
      { name: 'none' },
      /no Secret default\/none of type kubernetes\.io\/tls/,
    ],
    ['another kind', '', { name: 's', kind: 'ConfigMap' }, /expected a Secret, not ConfigMap/],
    ['another namespace', '', { name: 's', namespace: 'other' }, /no ReferenceGrant in other/],
  ])('refuses %s, with the field', (_what, text, ref, message) => {
    expect(() => read(text, ref)).toThrow(message);
    expect(() => read(text, ref)).toThrow(/^f: /);
  });

  it('says nothing of what stands in a file', () => {
    let message = '';
    try {
      read(secret('SECRET-WORDS', 'SECRET-WORDS'));
    } catch (error) {
      message = String(error);
    }
    expect(message).not.toContain('SECRET-WORDS');
    expect(message).toMatch(/^Error|ObjectFault/);
  });
});

describe('areAuthorities', () => {
  it('are certificates that can be read, all of them', () => {
    expect([areAuthorities(own.cert), areAuthorities(own.cert + own.cert), areAuthorities('')]).toEqual([
      true,
      true,
      false,
    ]);
    const odd = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    expect(areAuthorities(own.cert + odd)).toBe(false);
  });
});
