import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROLES, type Role } from '../../src/admin/access/roles.ts';

/** Tokens of operators in a file, one for each role. */
export interface Operators {
  readonly file: string;
  readonly folder: string;
  readonly tokens: Readonly<Record<Role, string>>;
  /** The text of the file. */
  readonly text: string;
  /** What a gateway needs of the environment. */
  readonly environment: Readonly<Record<string, string>>;
  remove(): void;
}

/** A token of 256 bits, and its line for the file. */
export function operatorToken(name: string, role: Role, more = ''): { token: string; line: string } {
  const token = randomBytes(32).toString('base64url');
  const sha256 = createHash('sha256').update(token).digest('hex');
  return { token, line: `  - { name: ${name}, role: ${role}, sha256: ${sha256}${more} }\n` };
}

/** Writes a file of tokens: operators are called after their roles. @param more lines for more of them. */
export function useOperators(more = ''): Operators {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-operators-'));
  const file = join(folder, 'operators.yaml');
  const made = ROLES.map((role) => [role, operatorToken(role, role)] as const);
  const text = `tokens:\n${made.map(([, { line }]) => line).join('')}${more}`;
  writeFileSync(file, text);
  return {
    file,
    folder,
    text,
    tokens: Object.fromEntries(made.map(([role, { token }]) => [role, token])) as Record<Role, string>,
    environment: { ADMIN_TOKENS_FILE: file },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** The field that shows a token. */
export function bearer(token: string): { readonly authorization: string } {
  return { authorization: `Bearer ${token}` };
}
