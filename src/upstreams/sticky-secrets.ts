import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { FileRemark } from '../config/pem-files.ts';
import type { UpstreamOptions } from './upstream.schema.ts';

/** As much as the hash that it is for has bytes. */
const MIN_LENGTH = 32;

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
      const text =
        secretEnv === undefined
          ? readFileSync(resolve(folder, secretFile ?? ''), 'utf8')
          : (environment[secretEnv] ?? '');
      secrets.set(name, secretsOf(text, secretEnv));
    } catch (error) {
      // Fails closed: who could guess a secret could send clients where he likes.
      faults.push({ path, message: (error as Error).message });
    }
  }
  return { secrets, faults };
}

function secretsOf(text: string, variable: string | undefined): readonly string[] {
  const lines = text.split(/\r?\n/).flatMap((line) => line.trim() || []);
  if (lines.length === 0)
    throw new Error(
      variable === undefined ? 'expected a file with a secret' : `set the environment variable ${variable}`,
    );
  if (lines.some(({ length }) => length < MIN_LENGTH))
    throw new Error(`expected secrets of ${MIN_LENGTH} characters or more`);
  return lines;
}
