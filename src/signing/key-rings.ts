import type { Redis } from 'ioredis';
import { namesRedis } from '../config/redis-url.ts';
import { readLongSecret } from '../config/secrets.ts';
import type { StoreGuard } from '../store/store-guard.ts';
import type { Logger } from '../telemetry/logger.ts';
import { keysOfFiles, type LoadedRing } from './key-files.ts';
import type { KeyRing } from './key-ring.ts';
import { RedisKeyStore } from './key-store.redis.ts';
import { RotatingKeys, type KeyStore } from './rotating-keys.ts';
import { KeySeal } from './sealed-key.ts';
import type { SigningOptions } from './signing.schema.ts';

/** What the keys of a process are made with. */
export interface KeyRingsDeps {
  readonly store?: { readonly redis: Redis; readonly guard: StoreGuard } | undefined;
  readonly logger?: Logger | undefined;
  /** Whether the gateway is only checked; what Redis would be asked is asked by nobody then. Default false. */
  readonly isDryRun?: boolean;
  readonly environment?: Readonly<Record<string, string | undefined>>;
}

type RotationKeys = SigningOptions & { readonly rotate: number };

/** Makes the rings of configurations; one that rotates by itself goes on from one configuration to the next. */
export class KeyRings {
  readonly #deps: KeyRingsDeps;
  readonly #rotating = new Map<string, RotatingKeys>();

  constructor(deps: KeyRingsDeps = {}) {
    this.#deps = deps;
  }

  /**
   * The ring that a configuration asks for; none where it asks for none.
   *
   * @param folder that relative names of files start from: the one of the configuration file.
   */
  ringOf(options: SigningOptions | undefined, folder: string): LoadedRing<KeyRing> {
    if (options === undefined) return { ring: undefined, faults: [] };
    const { keys, rotate } = options;
    return keys === undefined
      ? this.#rotatingOf({ ...options, rotate: rotate as number }, folder)
      : keysOfFiles(keys, folder);
  }

  #rotatingOf(options: RotationKeys, folder: string): LoadedRing<KeyRing> {
    const { rotate, algorithm = 'ES256', secretEnv, secretFile } = options;
    const { store, environment = process.env, isDryRun = false } = this.#deps;
    const fault = (key: string, message: string): LoadedRing<KeyRing> => ({
      ring: undefined,
      faults: [{ path: ['identity', 'signing', key], message }],
    });
    let secret: string;
    try {
      secret = readLongSecret({ variable: secretEnv, file: secretFile, folder, environment });
    } catch (error) {
      return fault(secretFile === undefined ? 'secretEnv' : 'secretFile', (error as Error).message);
    }
    const hasStore = store !== undefined || (isDryRun && namesRedis(environment));
    // Fails closed: each process would sign with keys that the others do not publish.
    if (!hasStore)
      return fault('rotate', 'needs Redis (REDIS_URL), by which replicas agree on keys; without it, give files with `keys`'); // prettier-ignore
    const name = `${algorithm}:${rotate}`;
    const seal = new KeySeal(secret);
    const id = `rotating ${seal.id} ${name}`;
    let ring = this.#rotating.get(id);
    if (ring === undefined) {
      const kept = store === undefined ? NOBODY : new RedisKeyStore(store, seal, { name, rotateMs: rotate });
      const { logger } = this.#deps;
      ring = new RotatingKeys({ id, rotateMs: rotate, algorithm, store: kept, logger });
      this.#rotating.set(id, ring);
    }
    return { ring, faults: [] };
  }
}

const NOBODY: KeyStore = { agree: () => Promise.resolve(undefined) };
