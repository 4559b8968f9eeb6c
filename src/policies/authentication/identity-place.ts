import { ConfigError, type ConfigFault } from '../../config/config-fault.ts';
import type { ReadConfig } from '../../config/config-reader.ts';
import { IdentityFault, IdentityFaults, faultsOf } from './identity-fault.ts';

/**
 * What the environment or a key makes of the file is a fault of the file, at its place.
 *
 * @returns the error itself when nothing of the file is to blame.
 */
export function inFile(error: unknown, source: ReadConfig<unknown>): unknown {
  if (!(error instanceof IdentityFault || error instanceof IdentityFaults)) return error;
  return new ConfigError(faultsOf(error).map((fault) => placed(fault, source)));
}

function placed({ at, message }: IdentityFault, { document }: ReadConfig<unknown>): ConfigFault {
  const place = document.locate(['identity', ...at]);
  const key = at.reduce<string>(
    (path, step) => (typeof step === 'number' ? `${path}[${step}]` : `${path}.${step}`),
    'identity',
  );
  return { file: document.file, ...place, key, message };
}
