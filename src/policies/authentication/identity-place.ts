import { ConfigError } from '../../config/config-fault.ts';
import type { ReadConfig } from '../../config/config-reader.ts';
import type { IdentityOptions } from './identity.schema.ts';
import { IdentityFault } from './identity.ts';

/**
 * What the environment or a key makes of the file is a fault of the file, at its place.
 *
 * @returns the error itself when nothing of the file is to blame.
 */
export function inFile(error: unknown, { issuers }: IdentityOptions, source: ReadConfig<unknown>): unknown {
  if (!(error instanceof IdentityFault)) return error;
  const { document } = source;
  const index = issuers.indexOf(error.issuer);
  const place = document.locate(['identity', 'issuers', index, error.key]);
  const key = `identity.issuers[${index}].${error.key}`;
  return new ConfigError([{ file: document.file, ...place, key, message: error.message }]);
}
