import type { FileRemark } from '../config/pem-files.ts';
import { readSecrets } from '../config/secrets.ts';
import type { UpstreamOptions } from './upstream.schema.ts';

const LINES = /\r?\n/;

/** What cookies of sticky sessions are signed with. */
export interface StickySecrets {
  /** By upstream; those with a fault are missing. */
  readonly secrets: ReadonlyMap<string, readonly string[]>;
  readonly faults: readonly FileRemark[];
}

/**
 * Reads the secrets that upstreams name for their sticky sessions.
 *
 * @param folder that relative names of files start from: the one of the configuration file.
 */
export function loadStickySecrets(
  upstreams: Readonly<Record<string, UpstreamOptions>>,
  folder: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): StickySecrets {
  const secrets = new Map<string, readonly string[]>();
  const faults: FileRemark[] = [];
  for (const [name, { sticky }] of Object.entries(upstreams)) {
    if (sticky === undefined) continue;
    const { secretEnv, secretFile } = sticky;
    const path = ['upstreams', name, 'sticky', secretEnv === undefined ? 'secretFile' : 'secretEnv'];
    try {
      const from = { variable: secretEnv, file: secretFile, folder, environment };
      secrets.set(name, readSecrets(from, LINES));
    } catch (error) {
      // Fails closed: who could guess a secret could send clients where he likes.
      faults.push({ path, message: (error as Error).message });
    }
  }
  return { secrets, faults };
}
