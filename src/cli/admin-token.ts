import { appendFile, readFile } from 'node:fs/promises';
import { readAccessFile } from '../admin/access/access-file.ts';
import { createApiKey } from '../policies/authentication/api-keys/api-key.ts';
import { duration } from '../config/units.ts';
import { moment } from '../policies/authentication/api-keys/api-key.schema.ts';
import { UsageError } from './options.ts';
import type { AdminTokenCommand } from './admin-token-command.ts';
import { cannotWrite, writeTo } from './written-file.ts';

const OWNER_ONLY = 0o600;

/**
 * Makes a token of 256 bits for the operators' listener. It is shown once: the file of tokens holds its digest.
 *
 * @throws {Error} for a file that cannot be written, and one whose faults speak against another line.
 */
export async function runAdminToken(
  { of, role, expires, addTo, outFile }: AdminTokenCommand,
  out: { write(text: string): unknown },
): Promise<void> {
  const { key: token, sha256 } = createApiKey('admin');
  const until = expires === undefined ? '' : `, expires: ${new Date(endOf(expires)).toISOString()}`;
  const line = `  - { name: ${of}, role: ${role}, sha256: ${sha256}${until} }\n`;
  if (addTo !== undefined) await add(addTo, line);
  if (outFile === undefined) out.write(`${token}\n`);
  else await writeTo(outFile, `${token}\n`, { mode: OWNER_ONLY });
  if (addTo === undefined)
    out.write(`# Shown once. Its line for the file of ADMIN_TOKENS_FILE:\ntokens:\n${line}`);
}

function endOf(text: string): number {
  const life = duration.safeParse(text);
  const at = life.success ? Date.now() + life.data : moment.safeParse(text).data;
  if (at === undefined || at <= Date.now())
    throw new UsageError('admin-token: expected --expires as 90d, or as a time to come such as 2027-01-31');
  return at;
}

// Only where it is clear what the end of the file belongs to.
async function add(file: string, line: string): Promise<void> {
  const before = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw cannotWrite(file, error);
  });
  if (before.trim() === '') return writeTo(file, `tokens:\n${line}`, { mode: OWNER_ONLY });
  readAccessFile(file);
  const keys = before.split('\n').filter((one) => /^[^\s#-]/.test(one));
  if (keys.at(-1)?.trim() !== 'tokens:')
    throw new Error(
      `${file}: expected \`tokens:\` as the last key of the file, to add a line to it; add it by hand:\n${line}`,
    );
  await appendFile(file, before.endsWith('\n') ? line : `\n${line}`);
  readAccessFile(file);
}
