import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IdentityService } from './services/identity.ts';

/** Tokens are good for 15 minutes; what is read from a file has always some minutes left. */
const RENEWED_EVERY_MS = 10 * 60_000;
const USERS = ['admin', 'user', 'guest'] as const;

/** What callers of the demo show, and where it is kept. */
export interface DemoCallers {
  readonly folder: string;
  readonly identity: Pick<IdentityService, 'token'>;
  readonly apiKey: string;
}

/**
 * Keeps the header field of each caller in a file that only its owner may read: `admin`, `user`, `guest` and `key`.
 * They never become arguments of a command, which everybody on the machine could read. Tokens are renewed until the
 * process ends, or the signal says so.
 */
export async function keepCallers(
  { folder, identity, apiKey }: DemoCallers,
  signal: AbortSignal,
): Promise<void> {
  const renew = async (): Promise<void> => {
    for (const user of USERS)
      await replace(join(folder, user), `Authorization: Bearer ${await identity.token(user)}\n`);
  };
  await replace(join(folder, 'key'), `X-API-Key: ${apiKey}\n`);
  await renew();
  const timer = setInterval(() => void renew().catch(() => undefined), RENEWED_EVERY_MS).unref();
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
}

/** Whoever reads at this moment finds the old text or the new one, never a half. */
async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
