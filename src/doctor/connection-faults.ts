import { errorName } from '../telemetry/error-facts.ts';

/** What is wrong with a connection, and what mends it. */
export interface ConnectionFault {
  readonly what: string;
  readonly mend?: string | undefined;
}

const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the connection was reset',
  ETIMEDOUT: 'nobody answers there',
  EHOSTUNREACH: 'there is no way to that host',
  ENETUNREACH: 'there is no way to that network',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name server does not answer',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  EPROTO: 'it does not speak TLS, or another protocol over it',
};

const AUTHORITY: ReadonlySet<string> = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** What mends the trust in a certificate, in the words of whoever configures it. */
export interface TrustKeys {
  readonly authority: string;
  readonly name: string;
}

/** Says what went wrong with a connection. */
export function connectionFault(error: unknown, keys: TrustKeys): ConnectionFault {
  const causes = causesOf(error);
  for (const code of causes) {
    if (AUTHORITY.has(code))
      return {
        what: `its certificate is of an authority that is not trusted (${code})`,
        mend: keys.authority,
      };
    if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
      return { what: 'its certificate is for another name', mend: keys.name };
    if (code === 'CERT_HAS_EXPIRED')
      return { what: 'its certificate has expired', mend: 'renew the certificate there' };
    if (code === 'CERT_NOT_YET_VALID')
      return { what: 'its certificate is not valid yet', mend: 'look at the clocks: of here and of there' };
    const network = NETWORK[code];
    if (network !== undefined) return { what: `${network} (${code})` };
  }
  return { what: errorName(error) };
}

function causesOf(error: unknown): readonly string[] {
  if (!Error.isError(error)) return [];
  const { code, cause } = error as NodeJS.ErrnoException;
  const several = error instanceof AggregateError ? (error.errors as unknown[]).flatMap(causesOf) : [];
  return [...(code === undefined ? [] : [code]), ...several, ...causesOf(cause)];
}
