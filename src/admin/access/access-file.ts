import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { ConfigError } from '../../config/config-fault.ts';
import { readConfig } from '../../config/config-reader.ts';
import { moment } from '../../policies/authentication/api-keys/api-key.schema.ts';
import {
  matcherOf,
  NAME_KINDS,
  PATTERNS,
  type NameKind,
} from '../../policies/authentication/client-certificates/certificate-patterns.ts';
import { ROLES } from './roles.ts';

const MOST_ENTRIES = 1000;
/** The old one and the new one while a token is rotated. */
const MOST_OF_A_NAME = 2;

const name = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]*$/, 'expected a name of letters, digits and . _ @ -');
const role = z.enum(ROLES);

const token = z.strictObject({
  name,
  role,
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'expected the SHA-256 of the token in 64 hexadecimal digits of lower case'),
  expires: moment.optional(),
});

function patternOf(kind: NameKind): z.ZodOptional<z.ZodString> {
  return z
    .string()
    .refine((text) => PATTERNS[kind](text), `expected a name of the kind ${kind}, or a pattern for some`)
    .optional();
}

const certificate = z
  .strictObject({
    name,
    role,
    uri: patternOf('uri'),
    dns: patternOf('dns'),
    email: patternOf('email'),
    subject: z.string().min(1).max(256).optional(),
  })
  .refine(({ uri, dns, email, subject }) => [uri, dns, email, subject].filter(Boolean).length === 1, {
    message:
      'expected exactly one of uri, dns, email (alternative names) and subject (the common name) beside name and role',
  });

const schema = z
  .strictObject({
    tokens: z.array(token).max(MOST_ENTRIES).default([]),
    certificates: z.array(certificate).max(MOST_ENTRIES).default([]),
  })
  .superRefine(({ tokens }, context) => {
    const fault = (index: number, key: string, message: string): void =>
      context.addIssue({ code: 'custom', path: ['tokens', index, key], message });
    for (const [index, one] of tokens.entries()) {
      const before = tokens.slice(0, index);
      if (before.some(({ sha256 }) => sha256 === one.sha256))
        fault(index, 'sha256', 'expected another token; this one is listed before');
      const ofName = before.filter((other) => other.name === one.name);
      if (ofName.length >= MOST_OF_A_NAME)
        fault(index, 'name', `expected two tokens of a name at most, the old one and the new one`);
      if (ofName.some((other) => other.role !== one.role))
        fault(index, 'role', `expected the same role as the other token of "${one.name}"`);
    }
  });

/** A token that opens the operators' listener. */
export interface TokenEntry {
  readonly name: string;
  readonly role: (typeof ROLES)[number];
  /** Of the token, in hex. */
  readonly sha256: string;
  /** In ms since the epoch. */
  readonly expires?: number | undefined;
}

/** Certificates that open it. */
export interface CertificateEntry {
  readonly name: string;
  readonly role: (typeof ROLES)[number];
  readonly kind: NameKind | 'subject';
  matches(name: string): boolean;
}

/** Who may come to the operators' listener. */
export interface AccessEntries {
  readonly tokens: readonly TokenEntry[];
  readonly certificates: readonly CertificateEntry[];
}

/** Reads who may come. @throws {ConfigError} with all faults, each with its place; also for a file that lets nobody in. */
export function readAccessFile(file: string): AccessEntries {
  const { value } = readConfig(schema, textOf(file), file, {});
  const { tokens } = value;
  const certificates = value.certificates.map(({ subject, ...one }): CertificateEntry => {
    const { name: of, role: may } = one;
    if (subject !== undefined)
      return { name: of, role: may, kind: 'subject', matches: (text) => text === subject };
    const kind = NAME_KINDS.find((each) => one[each] !== undefined) as NameKind;
    return { name: of, role: may, kind, matches: matcherOf(kind, one[kind] as string) };
  });
  // Fails closed and says so: an empty file would lock everybody out, and is nearly always one that was not filled yet.
  if (tokens.length + certificates.length === 0)
    throw new ConfigError([
      { file, key: '', message: 'expected at least one of `tokens` or `certificates`; `gatehouse admin-token` makes one' }, // prettier-ignore
    ]);
  return { tokens, certificates };
}

function textOf(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const message = `expected a file in UTF-8 that can be read (${code})`;
    throw new ConfigError([
      { file: 'environment', key: 'ADMIN_TOKENS_FILE', message: `${message}: ${file}` },
    ]);
  }
}
