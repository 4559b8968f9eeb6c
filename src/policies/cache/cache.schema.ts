import { z } from 'zod';
import { size } from '../../config/units.ts';
import { variableName } from '../../config/variable-name.ts';

const LEAST_BYTES = 2 ** 20;
const DEFAULT_BYTES = 64 * 2 ** 20;
const room = size.refine((bytes) => bytes >= LEAST_BYTES, 'expected at least 1MiB').default(DEFAULT_BYTES);

/** How much room stored answers may take, for all routes together. */
export const cacheSchema = z
  .strictObject({
    memory: room.describe(
      'What stored answers take in each process at most; what was used longest ago goes first. Default 64MiB.',
    ),
    redis: room.describe(
      'What the answers take at most that one process has put into Redis (`store: shared`); what was written longest ago goes first. Default 64MiB.',
    ),
    encryptionKeysEnv: variableName
      .optional()
      .describe(
        'Name of the environment variable with the secrets that answers in Redis are encrypted with, separated by commas, 32 characters or more each: the first one encrypts, all of them decrypt. Default: not encrypted.',
      ),
    encryptionKeysFile: z
      .string()
      .min(1)
      .optional()
      .describe('The same from a file, a secret in each line; from where the configuration is.'),
  })
  .refine(
    ({ encryptionKeysEnv, encryptionKeysFile }) =>
      encryptionKeysEnv === undefined || encryptionKeysFile === undefined,
    'expected one of `encryptionKeysEnv` and `encryptionKeysFile`',
  )
  .describe('How much room stored answers may take, for all routes together.');

/** The parsed options. */
export type CacheRoom = z.output<typeof cacheSchema>;
