import type { FileRemark } from '../../config/pem-files.ts';
import { readSecrets } from '../../config/secrets.ts';
import { KeyRing } from '../authentication/login/key-ring.ts';
import type { CacheRoom } from './cache.schema.ts';

const USE = 'gatehouse cache';

/** What answers in Redis are encrypted with. */
export interface CacheKeys {
  /** Undefined where they are not, and where there is a fault. */
  readonly keys: KeyRing | undefined;
  readonly faults: readonly FileRemark[];
}

/**
 * Reads the secrets that answers in Redis are encrypted with.
 *
 * @param folder that a relative name of a file starts from: the one of the configuration file.
 */
export function loadCacheKeys(
  room: Pick<CacheRoom, 'encryptionKeysEnv' | 'encryptionKeysFile'> | undefined,
  folder: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): CacheKeys {
  const { encryptionKeysEnv: variable, encryptionKeysFile: file } = room ?? {};
  if (variable === undefined && file === undefined) return { keys: undefined, faults: [] };
  try {
    return { keys: new KeyRing(readSecrets({ variable, file, folder, environment }), USE), faults: [] };
  } catch (error) {
    // Fails closed: nothing starts that would write answers as they are.
    const path = ['cache', variable === undefined ? 'encryptionKeysFile' : 'encryptionKeysEnv'];
    return { keys: undefined, faults: [{ path, message: (error as Error).message }] };
  }
}
