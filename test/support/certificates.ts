import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { isIPv4 } from 'node:net';

/** What a certificate says. */
export interface CertificateOptions {
  /** Common name of its subject. */
  readonly name: string;
  /** Host names and addresses of IPv4 that it is for. */
  readonly hosts?: readonly string[];
  /** Other names that it is for; characters that have no business there are written as they are. */
  readonly alternative?: readonly (readonly ['uri' | 'dns' | 'email', string])[];
  /** What it may be used for, where it says so. */
  readonly usage?: 'client' | 'server';
  /** Who signs it; default itself. */
  readonly by?: Certificate;
  /** Whether it may sign others. */
  readonly isAuthority?: boolean;
  /** From when it is valid, in days from now; default -1. */
  readonly fromDay?: number;
  /** Until when it is valid, in days from now; default 1. */
  readonly toDay?: number;
}

/** A certificate and its key. */
export interface Certificate {
  readonly name: string;
  /** In PEM. */
  readonly cert: string;
  /** In PEM (PKCS #8). */
  readonly key: string;
  readonly secret: KeyObject;
}

const DAY_MS = 86_400_000;

/** Makes a certificate (RFC 5280) with a new key on P-256. Node can read certificates, and make none. */
export function certificate(options: CertificateOptions): Certificate {
  const {
    name,
    hosts = [],
    alternative = [],
    usage,
    by,
    isAuthority = false,
    fromDay = -1,
    toDay = 1,
  } = options;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const names = [
    ...hosts.map(hostName),
    ...alternative.map(([kind, name]) => tagged(TAGS[kind], Buffer.from(name))),
  ];
  const extensions = [
    sequence(oid('551d13'), TRUE, octets(sequence(...(isAuthority ? [TRUE] : [])))),
    ...(usage === undefined ? [] : [sequence(oid('551d25'), octets(sequence(oid(USAGES[usage]))))]),
    ...(names.length === 0 ? [] : [sequence(oid('551d11'), octets(sequence(...names)))]),
  ];
  const body = sequence(
    tagged(0xa0, integer(Buffer.of(2))),
    integer(serialNumber()),
    ECDSA_WITH_SHA256,
    commonName(by?.name ?? name),
    sequence(time(fromDay), time(toDay)),
    commonName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', body, by?.secret ?? privateKey);
  const der = sequence(body, ECDSA_WITH_SHA256, tagged(0x03, Buffer.of(0), signature));
  const lines = der.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return {
    name,
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    secret: privateKey,
  };
}

let serials = 0;

function serialNumber(): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE((serials += 1), 1);
  return Buffer.concat([Buffer.of(1), bytes]);
}

/** A value of DER (X.690): tag, length, content. */
function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, ...parts);
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function octets(content: Buffer): Buffer {
  return tagged(0x04, content);
}

function oid(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'));
}

function commonName(name: string): Buffer {
  return sequence(tagged(0x31, sequence(oid('550403'), tagged(0x0c, Buffer.from(name)))));
}

/** An alternative name of a subject: a name of DNS, or an address. */
function hostName(host: string): Buffer {
  return isIPv4(host)
    ? tagged(0x87, Buffer.from(host.split('.').map(Number)))
    : tagged(0x82, Buffer.from(host));
}

function time(day: number): Buffer {
  const text = new Date(Date.now() + day * DAY_MS).toISOString().replace(/\.\d+|[-:T]/g, '');
  return tagged(0x18, Buffer.from(text));
}

/** Kinds of alternative names (RFC 5280 section 4.2.1.6). */
const TAGS = { email: 0x81, dns: 0x82, uri: 0x86 } as const;
const USAGES = { server: '2b06010505070301', client: '2b06010505070302' } as const;
const TRUE = tagged(0x01, Buffer.of(0xff));
const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'));
