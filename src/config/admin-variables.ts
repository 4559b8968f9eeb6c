/** Who may come to the operators' listener, and what it shows of itself. */
export interface AdminVariables {
  readonly tokensFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly clientCaFile?: string | undefined;
  /** Names that operators know it by. */
  readonly hosts?: readonly string[] | undefined;
  /** What commands show there, or the file that it is in. */
  readonly token?: string | undefined;
  readonly tokenFile?: string | undefined;
  readonly caFile?: string | undefined;
}

interface Given {
  readonly ADMIN_TOKENS_FILE?: string | undefined;
  readonly ADMIN_CERT_FILE?: string | undefined;
  readonly ADMIN_KEY_FILE?: string | undefined;
  readonly ADMIN_CLIENT_CA_FILE?: string | undefined;
  readonly ADMIN_HOSTS?: readonly string[] | undefined;
  readonly ADMIN_TOKEN?: string | undefined;
  readonly ADMIN_TOKEN_FILE?: string | undefined;
  readonly ADMIN_CA_FILE?: string | undefined;
}

/** What the environment says of them; undefined for nothing. */
export function adminOf(data: Given): AdminVariables | undefined {
  const said: AdminVariables = {
    tokensFile: data.ADMIN_TOKENS_FILE,
    certFile: data.ADMIN_CERT_FILE,
    keyFile: data.ADMIN_KEY_FILE,
    clientCaFile: data.ADMIN_CLIENT_CA_FILE,
    hosts: data.ADMIN_HOSTS,
    token: data.ADMIN_TOKEN,
    tokenFile: data.ADMIN_TOKEN_FILE,
    caFile: data.ADMIN_CA_FILE,
  };
  return Object.values(said).every((one) => one === undefined) ? undefined : said;
}
