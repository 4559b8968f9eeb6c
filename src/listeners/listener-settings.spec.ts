import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificate } from '../../test/support/certificates.ts';
import { loadListeners } from './listener-settings.ts';
import { listenersSchema } from './listeners.schema.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-listener-files-'));
afterAll(() => rmSync(folder, { recursive: true }));
const one = certificate({ name: 'one', hosts: ['one.test'] });
const over = certificate({ name: 'over', toDay: -1, fromDay: -3 });
const files = {
  'one.pem': one.cert,
  'one.key': one.key,
  'other.key': certificate({ name: 'other' }).key,
  'over.pem': over.cert,
  'over.key': over.key,
  'text.pem': 'hello',
};
for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);

const OWN = { cert: 'one.pem', key: 'one.key' };
const tlsWith = (certificate: object, more: object = {}): object => ({
  port: 8443,
  tls: { certificates: [OWN, certificate], ...more },
});
const load = (listener: object, trustedProxies: readonly string[] = []) =>
  loadListeners({ listeners: listenersSchema.parse([listener]), trustedProxies }, folder);

describe('the files of listeners', () => {
  it.each<[string, object, string, string]>([
    ['no file', tlsWith({ cert: 'none.pem', key: 'one.key' }), 'tls.certificates.1.cert', 'there is no file'],
    [
      'no certificate',
      tlsWith({ cert: 'text.pem', key: 'one.key' }),
      'tls.certificates.1.cert',
      'expected a certificate',
    ],
    [
      'no key',
      tlsWith({ cert: 'one.pem', key: 'text.pem' }),
      'tls.certificates.1.key',
      'expected a private key',
    ],
    [
      'another key',
      tlsWith({ cert: 'one.pem', key: 'other.key' }),
      'tls.certificates.1.key',
      'is not the one of',
    ],
    [
      'no authorities',
      tlsWith(OWN, { clientCertificates: { ca: 'text.pem' } }),
      'tls.clientCertificates.ca',
      'expected a certificate',
    ],
    ['nobody to believe', { port: 1, proxyProtocol: true }, 'proxyProtocol', 'nobody may speak'],
  ])('are faults with their place: %s', (_, listener, path, message) => {
    const { faults } = load(listener);
    expect(faults.map((fault) => fault.path.join('.'))).toEqual([`listeners.0.${path}`]);
    expect(faults[0]?.message).toContain(message);
  });

  it('warn of what has expired', () => {
    const { faults, warnings } = load(tlsWith({ cert: 'over.pem', key: 'over.key' }));
    expect([faults, warnings.map(({ path }) => path.join('.'))]).toEqual([
      [],
      ['listeners.0.tls.certificates.1.cert'],
    ]);
  });

  it('let those speak the PROXY protocol whom the listener names, or trusted proxies', () => {
    const by = (proxyProtocol: unknown) =>
      load({ port: 1, proxyProtocol }, ['loopback']).listeners?.[0]?.proxies;
    expect([by(false), by(true), by({}), by({ from: ['10.0.0.0/8'] })]).toEqual([
      undefined,
      ['loopback'],
      ['loopback'],
      ['10.0.0.0/8'],
    ]);
  });
});

describe('the section', () => {
  it.each<[string, object[], string]>([
    ['a port that stands twice', [{ port: 1 }, { port: 1 }], '1.port'],
    [
      'a port on all addresses and on one',
      [
        { port: 1, host: '0.0.0.0' },
        { port: 1, host: '127.0.0.1' },
      ],
      '1.port',
    ],
    ['a redirect to nowhere', [{ port: 1, redirectToHttps: true }], '0.redirectToHttps'],
    ['a redirect to itself', [{ ...tlsWith(OWN), redirectToHttps: true }], '0.redirectToHttps'],
    ['no listener', [], ''],
  ])('is refused with %s', (_, listeners, path) => {
    const { error } = listenersSchema.safeParse(listeners);
    expect(error?.issues.map((issue) => issue.path.join('.'))).toEqual([path]);
  });

  it('takes one port on two addresses, and any free one twice', () => {
    const listeners = [
      { port: 1, host: '127.0.0.1' },
      { port: 1, host: '127.0.0.2' },
      { port: 0 },
      { port: 0 },
    ];
    expect(listenersSchema.safeParse(listeners).success).toBe(true);
  });
});
