import { ConfigError } from '../../config/config-fault.ts';
import type { ReadConfig } from '../../config/config-reader.ts';
import { IdentityFault } from './identity-fault.ts';

/**
 * What the environment or a key makes of the file is a fault of the file, at its place.
 *
 * @returns the error itself when nothing of the file is to blame.
 */
export function inFile(error: unknown, source: ReadConfig<unknown>): unknown {
  if (!(error instanceof IdentityFault)) return error;
  const { document } = source;
  const place = document.locate(['identity', ...error.at]);
  const key = error.at.reduce<string>(
    (path, step) => (typeof step === 'number' ? `${path}[${step}]` : `${path}.${step}`),
    'identity',
  );
  return new ConfigError([{ file: document.file, ...place, key, message: error.message }]);
}
