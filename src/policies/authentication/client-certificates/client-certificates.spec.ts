import { describe, expect, it } from '@jest/globals';
import { X509Certificate } from 'node:crypto';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { certificate, type CertificateOptions } from '../../../../test/support/certificates.ts';
import { exchangeFor } from '../../../../test/support/stage-server.ts';
import { setConnection } from '../../../exchange/client-connection.ts';
import type { Exchange } from '../../../exchange/exchange.ts';
import { CertificateHolders } from './certificate-holders.ts';
import { CertificateVerifier } from './certificate.verifier.ts';
import { clientCertificatesSchema } from './client-certificates.schema.ts';
import { readClientCert, readXfcc } from './forwarded-certificate.ts';
import { presented, type PresentedCertificate } from './presented-certificate.ts';
import { PresentedCertificates } from './presented-certificates.ts';

type Names = NonNullable<CertificateOptions['alternative']>;

const x509 = (alternative: Names = [], name = 'any'): X509Certificate =>
  new X509Certificate(certificate({ name, alternative }).cert);
const holders = (options: object): CertificateHolders =>
  new CertificateHolders(clientCertificatesSchema.parse(options), true);
const RULES = {
  rules: [
    { match: { uri: 'spiffe://shop.test/orders' }, id: 'orders', roles: ['writer'], tenant: 'acme' },
    { match: { uri: 'spiffe://shop.test/team/*' }, id: 'team {uri}' },
    { match: { dns: '*.clients.test', subject: { CN: 'edge' } }, id: '{dns}', tier: 'gold' },
    { match: { email: '*@People.test' }, id: '{email}', kind: 'user' },
  ],
};
const CN = { unmapped: { id: '{cn}' } };
const DNS = { ...RULES, unmapped: { id: '{dns}' } };

describe('a certificate stands for', () => {
  it.each<[string, object, Names, string | undefined, string?]>([
    ['the holder of a URI', RULES, [['uri', 'spiffe://shop.test/orders']], 'orders'],
    ['nobody in another spelling', RULES, [['uri', 'spiffe://shop.test/Orders']], undefined],
    ['nobody for what begins the same', RULES, [['uri', 'spiffe://shop.test/orders/x']], undefined],
    ['nobody with two identities', RULES, [['uri', 'spiffe://shop.test/orders'], ['uri', 'spiffe://a/b']], undefined],
    ['whatever is below a path', RULES, [['uri', 'spiffe://shop.test/team/a/b.c']], 'team spiffe://shop.test/team/a/b.c'],
    ['nobody for a way out of it', RULES, [['uri', 'spiffe://shop.test/team/../orders']], undefined],
    ['nobody for an escaped one', RULES, [['uri', 'spiffe://shop.test/team/%2e%2e/orders']], undefined],
    ['nobody for a dot', RULES, [['uri', 'spiffe://shop.test/team/.']], undefined],
    ['nobody for the path itself', RULES, [['uri', 'spiffe://shop.test/team/']], undefined],
    ['nobody for an empty segment', RULES, [['uri', 'spiffe://shop.test/team//a']], undefined],
    ['one label', RULES, [['dns', 'A.Clients.test']], 'a.clients.test', 'edge'],
    ['nobody for two labels', RULES, [['dns', 'a.b.clients.test']], undefined, 'edge'],
    ['nobody for a wildcard of its own', RULES, [['dns', '*.clients.test']], undefined, 'edge'],
    ['nobody where half of a match holds', RULES, [['dns', 'a.clients.test']], undefined],
    ['a mailbox', RULES, [['email', 'Jo@people.TEST']], 'Jo@people.test'],
    ['nobody with two at signs', RULES, [['email', 'a@evil.test@people.test']], undefined],
    ['nobody with a NUL in a name', DNS, [['dns', 'orders\0.evil.test']], undefined],
    ['nobody with a NUL beside a good name', RULES, [['uri', 'spiffe://shop.test/orders'], ['dns', 'a\0b']], undefined],
    ['nobody with a list in a name', RULES, [['dns', 'a, URI:spiffe://shop.test/orders']], undefined],
    ['what a name with a comma says', DNS, [['dns', 'a,URI:spiffe://shop.test/orders']], 'a,uri:spiffe://shop.test/orders'],
    ['nobody with letters that look alike', DNS, [['dns', 'оrders.test']], undefined],
    ['nobody by the id of somebody else', DNS, [['dns', 'orders']], undefined],
    ['nobody by one of several names', DNS, [['dns', 'a.test'], ['dns', 'b.test']], undefined],
    ['its common name, where asked', CN, [], 'Jörg, Ltd', 'Jörg, Ltd'],
    ['nobody by a NUL in it', CN, [], undefined, 'orders\0x'],
    ['nobody by turned letters in it', CN, [], undefined, 'a\u202eb'],
  ])('%s', (...row) => {
    const [, options, names, id, name] = row;
    expect(holders(options).holder(presented(x509(names, name)))?.id).toBe(id);
  }); // prettier-ignore

  it('an application, or a person where the rule says so, with what the rule gives', () => {
    const client = holders(RULES).holder(presented(x509([['uri', 'spiffe://shop.test/orders']])));
    expect(client).toMatchObject({ scheme: 'mtls', clientId: 'orders', roles: ['writer'], tenant: 'acme' });
    expect([client?.subject, client?.email, typeof client?.claims['exp']]).toEqual([
      undefined,
      undefined,
      'number',
    ]);
    const user = holders(RULES).holder(presented(x509([['email', 'jo@people.test']])));
    expect(user).toMatchObject({ subject: 'jo@people.test', clientId: undefined, email: 'jo@people.test' });
  });

  it('nobody from 101 names on', () => {
    const names = (count: number): Names => Array.from({ length: count }, (_, i) => ['dns', `${i}.test`]);
    expect(presented(x509(names(100))).names?.dns).toHaveLength(100);
    expect(presented(x509(names(101))).names).toBeUndefined();
  });
});

describe('the configuration refuses', () => {
  it.each<[object]>([
    [{}],
    [{ rules: [{ match: {}, id: 'a' }] }],
    [{ rules: [{ match: { subject: {} }, id: 'a' }] }],
    [{ rules: [{ match: { uri: 'spiffe://*' }, id: 'a' }] }],
    [{ rules: [{ match: { uri: 'spiffe://shop*' }, id: 'a' }] }],
    [{ rules: [{ match: { dns: '*' }, id: 'a' }] }],
    [{ rules: [{ match: { dns: 'a.*.test' }, id: 'a' }] }],
    [{ rules: [{ match: { email: '*' }, id: 'a' }] }],
    [{ rules: [{ match: { fingerprint: 'ab' }, id: 'a' }] }],
    [{ rules: [{ match: { dns: 'a' }, id: '{name}' }] }],
    [{ unmapped: { id: 'everybody' } }],
  ])('%j', (options) => {
    expect(clientCertificatesSchema.safeParse(options).success).toBe(false);
  });
});

const known = x509([['uri', 'spiffe://shop.test/orders']]);
const { fingerprint = '', x5t } = presented(known);
const pem = `"${encodeURIComponent(known.toString())}"`;
const uri = 'URI=spiffe://shop.test/orders';
const pairs = (count: number): string => Array.from({ length: count }, () => uri).join(',');

describe('X-Forwarded-Client-Cert', () => {
  it.each<[string, string, Partial<PresentedCertificate>, string[]]>([
    ['a certificate', `Cert=${pem}`, { fingerprint, x5t }, ['spiffe://shop.test/orders']],
    ['its hash as well', `By=spiffe://b;hash=${fingerprint.toUpperCase()};cert=${pem};Chain=${pem}`, { fingerprint }, ['spiffe://shop.test/orders']],
    ['names and a hash', `By=a;By=b;Hash=${fingerprint};${uri};DNS=a.test;DNS=b.test`, { fingerprint, x5t }, ['spiffe://shop.test/orders']],
    ['a quoted subject with what separates', `Subject="CN=a\\\\\\"\\\\,URI=spiffe://evil\\\\;x,O=Shop";${uri}`, {}, ['spiffe://shop.test/orders']],
    ['nothing where a value is empty', `Subject="";${uri};Hash=;DNS=`, { fingerprint: undefined }, ['spiffe://shop.test/orders']],
    ['the last of several', `URI=spiffe://first;Subject="O=,URI",${uri}`, {}, ['spiffe://shop.test/orders']],
    ['10 elements', pairs(10), {}, ['spiffe://shop.test/orders']],
  ])('says %s', (_what, value, certificateSaid, uris) => {
    const read = readXfcc(value, 'last');
    expect(read).toMatchObject(certificateSaid);
    expect(read?.names?.uri).toEqual(uris);
  }); // prettier-ignore

  it('has a subject with escapes, whose attributes count where they are there once', () => {
    const read = readXfcc(`Subject="OU=x,CN=J\\\\C3\\\\B6rg\\\\, Ltd,OU=y,O=Shop"`, 'last');
    expect([...(read?.names?.subject ?? [])]).toEqual([['CN', 'Jörg, Ltd'], ['O', 'Shop']]);
  }); // prettier-ignore

  it('counts the first element where that is asked for', () => {
    expect(readXfcc(`${uri},URI=spiffe://proxy`, 'first')?.names?.uri).toEqual(['spiffe://shop.test/orders']);
  });

  it.each([
    ['nothing', ''],
    ['no pair', 'spiffe://shop.test/orders'],
    ['no names', `By=spiffe://b`],
    ['an empty element', `${uri},`],
    ['an empty pair', `${uri};`],
    ['an open quote', `Subject="CN=a;${uri}`],
    ['something behind a quote', `Subject="CN=a"x;${uri}`],
    ['a quote within', `URI=spiffe://a"b`],
    ['two hashes', `Hash=${fingerprint};Hash=${fingerprint}`],
    ['two certificates', `Cert=${pem};Cert=${pem}`],
    ['two certificates in one', `Cert="${encodeURIComponent(known.toString().repeat(2))}"`],
    ['a certificate that is none', `Cert="abc"`],
    ['an escape that is none', `Cert="%zz"`],
    ['a hash of another one', `Hash=${'0'.repeat(64)};Cert=${pem}`],
    ['a hash that is none', `Hash=abc;${uri}`],
    ['a subject that is none', `Subject="CN";${uri}`],
    ['two identities', `${uri};URI=spiffe://evil`],
    ['a NUL', `${uri};DNS=a\0b`],
    ['11 elements', pairs(11)],
  ])('says nothing with %s', (_what, value) => {
    expect(readXfcc(value, 'last')).toBeUndefined();
  });
});

describe('Client-Cert', () => {
  const base64 = known.raw.toString('base64');

  it('says a certificate', () => {
    expect(readClientCert(`:${base64}:`)?.fingerprint).toBe(fingerprint);
  });

  it.each([
    ['nothing', ''],
    ['empty bytes', '::'],
    ['no colons', base64],
    ['two of them', `:${base64}:, :${base64}:`],
    ['parameters', `:${base64}:;a=1`],
    ['PEM', `:${Buffer.from(known.toString()).toString('base64')}:`],
    ['something behind it', `:${Buffer.concat([known.raw, Buffer.of(0)]).toString('base64')}:`],
    ['half of it', `:${known.raw.subarray(0, 99).toString('base64')}:`],
  ])('says nothing with %s', (_what, value) => {
    expect(readClientCert(value)).toBeUndefined();
  });
});

function exchangeBy(own: X509Certificate): Exchange {
  const socket = new Socket();
  const listener = {
    port: 0,
    redirectPort: undefined,
    bodyTimeMs: 1,
    requestsPerConnection: 1,
    isLeaving: false,
  };
  const certificateOf = { x509: own, fingerprint: presented(own).fingerprint ?? '' };
  setConnection(socket, { listener, peer: '::1', scheme: 'https', certificate: certificateOf, requests: 0 });
  const request = new IncomingMessage(socket);
  return exchangeFor(request, new ServerResponse(request));
}

describe('a certificate on a connection that lasts', () => {
  it('is read once, and holds from its first second to its last', () => {
    let now = Date.now();
    const verifier = new CertificateVerifier({
      certificates: new PresentedCertificates(),
      holders: holders(RULES),
      clock: () => now,
    });
    const exchange = exchangeBy(known);
    const caller = verifier.verify(exchange);
    expect(verifier.verify(exchange)).toBe(caller);
    const [from, until] = [Date.parse(known.validFrom), Date.parse(known.validTo)];
    const codeAt = (at: number): unknown => {
      now = at;
      try {
        return verifier.verify(exchange)?.id;
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect([from - 1, from, until - 1, until].map(codeAt)).toEqual([
      'credentials-invalid',
      'orders',
      'orders',
      'credentials-expired',
    ]);
  });
});
