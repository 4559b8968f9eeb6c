import { createHash, timingSafeEqual, type X509Certificate } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import { TLSSocket } from 'node:tls';
import type { Socket } from 'node:net';
import { ConfigError } from '../../config/config-fault.ts';
import { certificateNames } from '../../policies/authentication/client-certificates/certificate-names.ts';
import { Damping } from '../../policies/authentication/damping/damping.ts';
import { ConfigFileWatch, type WatchTimes } from '../../snapshot/config-file-watch.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { AccessEntries, TokenEntry } from './access-file.ts';
import { isLoopbackHost, readAccess, readTls, type AccessEnvironment, type AccessSettings } from './access-settings.ts'; // prettier-ignore
import { adminHosts, type AdminHosts } from './page-rules.ts';
import type { Caller, Refusal, Verdict } from './roles.ts';
import { clearedCookie, sessionCookie, sessionIdOf } from './session-cookie.ts';
import { Sessions } from './sessions.ts';

/** After so many bad credentials within the window, an address is not looked at until it ends. */
const DAMPED = { failures: 10, window: 30_000 };
/** Characters of a token of 256 bits in 64 characters; a digest of a shorter one may be guessed. */
const LEAST_CHARACTERS = 43;
const MOST_CHARACTERS = 512;
const BEARER = /^bearer +(\S+) *$/i;

/** A request, as far as who asks is concerned. */
export interface Asking {
  readonly headers: IncomingHttpHeaders;
  readonly socket: Socket;
}

const refused = (reason: Refusal['reason'], error: string, more: Partial<Refusal> = {}): Verdict => ({
  refusal: { reason, error, ...more },
});

/** Who may come to the operators' listener, and who has come. */
export class AdminAccess {
  readonly sessions: Sessions;
  readonly hosts: AdminHosts;
  readonly #environment: AccessEnvironment;
  readonly #damping: Damping;
  readonly #clock: () => number;
  readonly #watches: ConfigFileWatch[] = [];
  #settings: AccessSettings;

  /** @throws {ConfigError} with all that keeps the listener from being safe. */
  constructor(environment: AccessEnvironment, logger?: Logger, clock: () => number = Date.now) {
    this.#environment = environment;
    this.#clock = clock;
    this.#settings = readAccess(environment);
    this.#damping = new Damping({ logger, clock });
    this.sessions = new Sessions(clock);
    this.hosts = adminHosts(environment.admin?.hosts ?? []);
  }

  /** Whether the listener speaks TLS. */
  get isTls(): boolean {
    return this.#settings.tls !== undefined;
  }

  /** Whether callers have to show who they are. */
  get needsToken(): boolean {
    return this.#settings.entries !== undefined;
  }

  /** For `createServer` of `node:https`; undefined without TLS. Certificates of callers are asked for and looked at later. */
  get serverOptions(): object | undefined {
    const { tls } = this.#settings;
    return (
      tls && { ...tls, ...(tls.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: false }) }
    );
  }

  /** Reads the files again whenever they change; what is faulty is told, and what was good before holds. */
  watch(logger: Logger, server?: SecureServer, times?: WatchTimes): void {
    const { tokensFile, certFile, keyFile, clientCaFile } = this.#environment.admin ?? {};
    const files = [tokensFile, certFile, keyFile, clientCaFile].filter((file) => file !== undefined);
    for (const file of files)
      this.#watches.push(new ConfigFileWatch(file, () => this.reread(logger, server), times));
    for (const watch of this.#watches) watch.start();
  }

  unwatch(): void {
    for (const watch of this.#watches.splice(0)) watch.stop();
  }

  /** Reads the files again. */
  reread(logger: Logger, server?: SecureServer): void {
    try {
      this.#settings = readAccess(this.#environment);
      const tls = readTls(this.#environment.admin ?? {});
      if (tls !== undefined) server?.setSecureContext(tls);
      const { tokens = [], certificates = [] } = this.#settings.entries ?? {};
      logger.info(
        { tokens: tokens.length, certificates: certificates.length },
        'operators’ access read again',
      );
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      // Keeps the last good one: a typing error may not lock operators out. Somebody has to be told, for what was taken out holds still.
      logger.error({ faults: error.faults }, 'operators’ access not taken over: the one before holds');
    }
  }

  /** Who asks, by what the request shows. Whoever fails is counted. */
  judge({ headers, socket }: Asking): Verdict {
    const { entries } = this.#settings;
    const { authorization } = headers;
    if (entries === undefined) return this.#unasked(socket);
    if (authorization !== undefined) {
      const token = BEARER.exec(authorization)?.[1];
      if (token === undefined)
        return refused('malformed', 'expected `Authorization: Bearer` and a token of this listener');
      return this.login(token, socket.remoteAddress);
    }
    const id = sessionIdOf(headers.cookie, this.isTls);
    if (id !== undefined) {
      const caller = this.#ofSession(id, entries);
      if (caller !== undefined) return { caller };
    }
    if (socket instanceof TLSSocket) {
      const x509 = socket.getPeerX509Certificate();
      if (x509 !== undefined) return this.#ofCertificate(x509, socket.authorized, entries);
    }
    if (id !== undefined) return refused('unknown-session', 'the session has ended; log in again');
    return refused('no-credentials', this.#howTo);
  }

  /** Whose token it is. @param address that it comes from. */
  login(token: unknown, address = ''): Verdict {
    const leftMs = this.#damping.leftMs(address);
    if (leftMs > 0) {
      const retryAfterS = Math.ceil(leftMs / 1000);
      return refused('damped', `too many bad credentials from this address; try again in ${retryAfterS} s`, { retryAfterS }); // prettier-ignore
    }
    const entry = typeof token === 'string' ? this.#find(token) : undefined;
    const isExpired = entry?.expires !== undefined && entry.expires <= this.#clock();
    if (entry !== undefined && !isExpired)
      return { caller: { name: entry.name, role: entry.role, by: 'token' } };
    this.#damping.failed(address, DAMPED);
    if (entry !== undefined)
      return refused('expired', `the token of "${entry.name}" has expired`, { name: entry.name });
    return refused('unknown-token', 'this is no token of this listener');
  }

  /** Opens a session for a token that was let in; returns the field `Set-Cookie`. */
  openSession(token: string): string {
    return sessionCookie(this.sessions.open(digestOf(token).toString('hex')), this.isTls);
  }

  /** Ends the session of a request, if it has one; returns the field `Set-Cookie` that takes it away. */
  closeSession({ cookie }: IncomingHttpHeaders): string {
    const id = sessionIdOf(cookie, this.isTls);
    if (id !== undefined) this.sessions.close(id);
    return clearedCookie(this.isTls);
  }

  get #howTo(): string {
    const orCertificate = this.#environment.admin?.clientCaFile === undefined ? '' : ', or a certificate';
    return `expected \`Authorization: Bearer\` and a token${orCertificate}; \`gatehouse admin-token\` makes one`;
  }

  // Fails closed: a name that leads somewhere else than it should is not loopback.
  #unasked({ localAddress = '' }: Socket): Verdict {
    if (isLoopbackHost(this.#environment.adminHost) && isLoopbackHost(localAddress.replace(/^::ffff:/, '')))
      return { caller: { name: undefined, role: 'admin', by: 'loopback' } };
    return refused('no-credentials', 'nobody is let in here without ADMIN_TOKENS_FILE');
  }

  // All of them are compared, each in the same time, so that how long it takes tells nothing.
  #find(token: string): TokenEntry | undefined {
    if (token.length < LEAST_CHARACTERS || token.length > MOST_CHARACTERS) return undefined;
    const digest = digestOf(token);
    let found: TokenEntry | undefined;
    for (const entry of this.#settings.entries?.tokens ?? [])
      if (timingSafeEqual(digest, Buffer.from(entry.sha256, 'hex'))) found = entry;
    return found;
  }

  // A session is worth what its token is worth right now.
  #ofSession(id: string, { tokens }: AccessEntries): Caller | undefined {
    const sha256 = this.sessions.find(id);
    const entry = tokens.find((one) => one.sha256 === sha256);
    if (entry === undefined || (entry.expires ?? Infinity) <= this.#clock()) return undefined;
    return { name: entry.name, role: entry.role, by: 'session' };
  }

  #ofCertificate(x509: X509Certificate, isTrusted: boolean, { certificates }: AccessEntries): Verdict {
    const names = isTrusted ? certificateNames(x509) : undefined;
    const entry = names && certificates.find(({ kind, matches }) =>
      kind === 'subject' ? matches(names.subject.get('CN') ?? '') : names[kind].some((name) => matches(name)),
    ); // prettier-ignore
    if (entry !== undefined) return { caller: { name: entry.name, role: entry.role, by: 'certificate' } };
    const why = isTrusted ? 'is listed nowhere in the file of ADMIN_TOKENS_FILE' : 'is signed by nobody whom ADMIN_CLIENT_CA_FILE names, or has expired'; // prettier-ignore
    return refused('unknown-certificate', `this certificate ${why}`);
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
