import { constants, createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { ConfigError, type ConfigFault } from '../../config/config-fault.ts';
import type { AdminVariables, Environment } from '../../config/env.schema.ts';
import { readAccessFile, type AccessEntries } from './access-file.ts';
import { eachCertificate } from './authorities.ts';

/** What of the environment access depends on. */
export type AccessEnvironment = Pick<Environment, 'adminHost' | 'admin'>;

/** Who may come, and what the listener shows of itself. */
export interface AccessSettings {
  /** Undefined where nobody is asked who it is. */
  readonly entries: AccessEntries | undefined;
  readonly tls: SecureContextOptions | undefined;
}

const NEEDED =
  'expected ADMIN_TOKENS_FILE beside an address that is not loopback: whoever reaches it could give orders. `gatehouse admin-token` makes a token and the line for the file';

/** Whether only this machine reaches what listens there. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/**
 * Reads who may come to the operators' listener. Fails closed: beyond loopback nothing listens without tokens or certificates.
 *
 * @throws {ConfigError} with all faults.
 */
export function readAccess({ adminHost, admin = {} }: AccessEnvironment): AccessSettings {
  const faults: ConfigFault[] = [];
  const fault = (key: string, message: string): void =>
    void faults.push({ file: 'environment', key, message });
  const { tokensFile, certFile, keyFile, clientCaFile } = admin;
  if (tokensFile === undefined && !isLoopbackHost(adminHost)) fault('ADMIN_HOST', NEEDED);
  if ((certFile === undefined) !== (keyFile === undefined))
    fault('ADMIN_CERT_FILE', 'expected ADMIN_CERT_FILE and ADMIN_KEY_FILE together');
  if (clientCaFile !== undefined && certFile === undefined)
    fault('ADMIN_CLIENT_CA_FILE', 'expected ADMIN_CERT_FILE and ADMIN_KEY_FILE beside it');
  if (clientCaFile !== undefined && tokensFile === undefined)
    fault(
      'ADMIN_CLIENT_CA_FILE',
      'expected ADMIN_TOKENS_FILE beside it, which says what certificates may do',
    );
  const entries = gathered(faults, () => (tokensFile === undefined ? undefined : readAccessFile(tokensFile)));
  if (entries !== undefined && clientCaFile === undefined && entries.certificates.length > 0)
    fault('ADMIN_TOKENS_FILE', 'expected ADMIN_CLIENT_CA_FILE beside a file with certificates');
  if (entries?.tokens.length === 0 && clientCaFile === undefined)
    fault('ADMIN_TOKENS_FILE', 'expected a token in it, or ADMIN_CLIENT_CA_FILE beside it');
  const tls = gathered(faults, () => readTls(admin));
  if (faults.length > 0) throw new ConfigError(faults);
  return { entries, tls };
}

/** Of a process that answers what another one has taken: whether anybody is asked, and nobody who would be let in. */
export function accessElsewhere({ admin }: AccessEnvironment): AccessSettings {
  const entries = admin?.tokensFile === undefined ? undefined : { tokens: [], certificates: [] };
  return { entries, tls: undefined };
}

/** Reads the certificates of the listener. @throws {ConfigError} with what is wrong with them. */
export function readTls({
  certFile,
  keyFile,
  clientCaFile,
}: AdminVariables): SecureContextOptions | undefined {
  if (certFile === undefined || keyFile === undefined) return undefined;
  const faults: ConfigFault[] = [];
  const read = (key: string, file: string, check: (text: string) => unknown): string => {
    try {
      const text = readFileSync(file, 'utf8');
      check(text);
      return text;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Not what the error says: that could quote a key.
      const message = code === undefined || code.startsWith('ERR_') ? 'expected a file in PEM' : `expected a file that can be read (${code})`; // prettier-ignore
      faults.push({ file: 'environment', key, message: `${message}: ${file}` });
      return '';
    }
  };
  const certificate = (text: string): X509Certificate => new X509Certificate(text);
  const cert = read('ADMIN_CERT_FILE', certFile, certificate);
  const key = read('ADMIN_KEY_FILE', keyFile, createPrivateKey);
  const ca = clientCaFile && read('ADMIN_CLIENT_CA_FILE', clientCaFile, eachCertificate);
  if (faults.length === 0 && !new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
    faults.push({ file: 'environment', key: 'ADMIN_KEY_FILE', message: 'expected the key of the certificate of ADMIN_CERT_FILE' }); // prettier-ignore
  if (faults.length > 0) throw new ConfigError(faults);
  // Nobody looks at a certificate again when a session of TLS is gone on with: none is, where certificates say who asks.
  const asking = ca === undefined ? {} : { ca, secureOptions: constants.SSL_OP_NO_TICKET };
  const options = { cert, key, ...asking, minVersion: 'TLSv1.2' as const };
  try {
    createSecureContext(options);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const message = `expected a certificate and a key that TLS takes (${code})`;
    throw new ConfigError([{ file: 'environment', key: 'ADMIN_CERT_FILE', message }]);
  }
  return options;
}

function gathered<Value>(faults: ConfigFault[], read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    faults.push(...error.faults);
    return undefined;
  }
}
