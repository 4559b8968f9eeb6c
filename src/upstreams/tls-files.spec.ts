import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { certificate } from '../../test/support/certificates.ts';
import { loadTls, type LoadedTls } from './tls-files.ts';
import { upstreamSchema } from './upstream.schema.ts';

let folder: string;
const one = certificate({ name: 'one' });
const other = certificate({ name: 'other' });
const over = certificate({ name: 'over', fromDay: -3, toDay: -1 });
const early = certificate({ name: 'early', fromDay: 1, toDay: 3 });
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-tls-files-'));
  mkdirSync(join(folder, 'tls'));
  const files = {
    'one.pem': one.cert,
    'one.key': one.key,
    'chain.pem': one.cert + other.cert,
    'other.key': other.key,
    'over.pem': over.cert,
    'over.key': over.key,
    'many.pem': [one, over, early, over, over].map(({ cert }) => cert).join('some words\n'),
    'locked.key': privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }),
    'text.pem': 'hello',
    'broken.pem': `${one.cert}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
    empty: '',
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, 'tls', name), text);
});
afterAll(() => rmSync(folder, { recursive: true }));

const load = (tls: object, now?: number): LoadedTls =>
  loadTls({ one: upstreamSchema.parse({ targets: ['https://a.test'], tls }) }, folder, now);

const said = (remarks: LoadedTls['faults']): readonly (readonly [key: string, message: string])[] =>
  remarks.map(({ path, message }) => [path.join('.'), message.replaceAll(folder, '')] as const);

const OWN = { cert: 'tls/one.pem', key: 'tls/one.key' };

describe(loadTls.name, () => {
  it.each([
    ['nothing but a name', { serverName: 'a.test' }],
    ['authorities', { ca: 'tls/chain.pem' }],
    ['a certificate and its key', OWN],
    ['a chain', { ca: 'tls/one.pem', cert: 'tls/chain.pem', key: 'tls/one.key' }],
  ])('takes %s', (_what, tls) => {
    const { upstreams, faults, warnings } = load(tls);
    expect([faults, warnings]).toEqual([[], []]);
    expect(upstreams.get('one')).toMatchObject({ verify: true, context: expect.anything() });
  });

  it('takes names that are absolute as they are', () =>
    expect(load({ ca: join(folder, 'tls/one.pem') }).faults).toEqual([]));

  it('has nothing for upstreams that say nothing', () => {
    const options = { one: upstreamSchema.parse({ targets: ['https://a.test'] }) };
    expect(loadTls(options, folder).upstreams.size).toBe(0);
  });

  it.each<[string, object, string, string]>([
    ['is not there', { ca: 'tls/none.pem' }, 'ca', 'there is no file /tls/none.pem'],
    ['lies below a file', { ca: 'tls/one.pem/a' }, 'ca', 'there is no file /tls/one.pem/a'],
    ['is a folder', { ca: 'tls' }, 'ca', 'expected a file, not the folder /tls'],
    ['is empty', { ca: 'tls/empty' }, 'ca', 'expected a certificate in PEM in /tls/empty'],
    ['is no PEM', { ca: 'tls/text.pem' }, 'ca', 'expected a certificate in PEM in /tls/text.pem'],
    ['holds a key instead', { ca: 'tls/one.key' }, 'ca', 'expected a certificate in PEM in /tls/one.key'],
    ['holds one that is broken', { ca: 'tls/broken.pem' }, 'ca', 'certificate 2 in /tls/broken.pem cannot be read'],
    ['is no key', { ...OWN, key: 'tls/one.pem' }, 'key', 'expected a private key in PEM in /tls/one.pem'],
    ['is a locked key', { ...OWN, key: 'tls/locked.key' }, 'key', 'expected a private key in PEM without a passphrase in /tls/locked.key'],
    ['is the key of another', { ...OWN, key: 'tls/other.key' }, 'key', 'the key in /tls/other.key is not the one of the first certificate in /tls/one.pem'],
  ])('refuses a file that %s', (_what, tls, key, message) => {
    const { upstreams, faults } = load(tls);
    expect(said(faults)).toEqual([[`upstreams.one.tls.${key}`, message]]);
    expect(upstreams.size).toBe(0);
  }); // prettier-ignore

  it('tells all that is wrong at once', () => {
    const { faults } = load({ ca: 'none', cert: 'tls/text.pem', key: 'tls/text.pem' });
    expect(faults.map(({ path }) => path.at(-1))).toEqual(['ca', 'cert', 'key']);
  });

  it('never repeats what a file holds', () => {
    writeFileSync(
      join(folder, 'tls', 'secret.key'),
      `-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n`,
    );
    expect(JSON.stringify(load({ ...OWN, key: 'tls/secret.key' }).faults)).not.toContain('c2VjcmV0');
  });

  it.each<[string, object, string, RegExp]>([
    ['the target is not verified', { verify: false }, 'verify', /^the targets are not verified/],
    ['a certificate has expired', { cert: 'tls/over.pem', key: 'tls/over.key' }, 'cert', /^in \/tls\/over.pem: CN=over has expired on \d{4}-\d\d-\d\d$/],
    ['authorities are out of their time', { ca: 'tls/many.pem' }, 'ca', /^in \/tls\/many.pem: CN=over has [^;]*; CN=early is not valid before [^;]*; CN=over has [^;]*, and 1 more$/],
  ])('warns when %s, and goes on', (_what, tls, key, message) => {
    const { upstreams, faults, warnings } = load(tls);
    expect(faults).toEqual([]);
    expect(said(warnings)).toEqual([[`upstreams.one.tls.${key}`, expect.stringMatching(message)]]);
    expect(upstreams.size).toBe(1);
  }); // prettier-ignore

  it('warns from the moment a certificate expires', () => {
    const ends = 1000 * Math.floor((Date.now() + 86_400_000) / 1000);
    expect(load({ ca: 'tls/one.pem' }, ends - 60_000).warnings).toHaveLength(0);
    expect(load({ ca: 'tls/one.pem' }, ends + 60_000).warnings).toHaveLength(1);
  });

  it('has another digest as soon as a file says something else', () => {
    const digestOf = (): string | undefined => load({ ca: 'tls/changing.pem' }).upstreams.get('one')?.digest;
    const write = (text: string): void => writeFileSync(join(folder, 'tls', 'changing.pem'), text);
    write(one.cert);
    const first = digestOf();
    expect(digestOf()).toBe(first);
    write(other.cert);
    expect(digestOf()).not.toBe(first);
  });
});

describe('`tls` of an upstream', () => {
  it.each<[string, object, string, RegExp]>([
    ['a certificate without its key', { tls: { cert: 'a' } }, 'tls.cert', /expected `key` beside it/],
    ['a key without its certificate', { tls: { key: 'a' } }, 'tls.key', /expected `cert` beside it/],
    ['an address for a name', { tls: { serverName: '10.0.0.1' } }, 'tls.serverName', /host name/],
    ['no name at all', { tls: { serverName: 'a b' } }, 'tls.serverName', /host name/],
    ['a key that there is not', { tls: { caFile: 'a' } }, 'tls', /caFile/],
    ['a target in the clear', { tls: {}, targets: ['https://a.test', 'http://b.test'] }, 'targets.1', /expected an https:\/\/ origin, because the upstream has `tls`/],
    ['a target of gRPC in the clear', { protocol: 'grpc', tls: {}, targets: [{ url: 'grpc://b.test' }] }, 'targets.0', /expected a grpcs:\/\/ origin/],
  ])('refuses %s', (_what, options, path, message) => {
    const { error } = upstreamSchema.safeParse({ targets: ['https://a.test'], ...options });
    expect(error?.issues.map((issue) => [issue.path.join('.'), issue.message])).toEqual([[path, expect.stringMatching(message)]]);
  }); // prettier-ignore

  it.each([
    ['http', 'https://a.test'],
    ['grpc', 'grpcs://a.test'],
  ])('is taken for targets over TLS of %s', (protocol, target) =>
    expect(upstreamSchema.safeParse({ protocol, targets: [target], tls: {} }).success).toBe(true),
  );
});
