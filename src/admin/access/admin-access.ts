import type { X509Certificate } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import { TLSSocket } from 'node:tls';
import type { Socket } from 'node:net';
import { ConfigError } from '../../config/config-fault.ts';
import { certificateNames } from '../../policies/authentication/client-certificates/certificate-names.ts';
import { ConfigFileWatch, type WatchTimes } from '../../snapshot/config-file-watch.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { AdminAccessState } from '../../telemetry/admin-metrics.ts';
import type { AccessEntries } from './access-file.ts';
import { accessElsewhere, isLoopbackHost, readAccess, type AccessEnvironment, type AccessSettings } from './access-settings.ts'; // prettier-ignore
import { Authorities } from './authorities.ts';
import { adminHosts, type AdminHosts } from './page-rules.ts';
import type { Caller, Verdict } from './roles.ts';
import { clearedCookie, sessionCookie, sessionIdOf } from './session-cookie.ts';
import { Sessions } from './sessions.ts';
import { digestOf, refused, TokenCheck } from './token-check.ts';

const BEARER = /^bearer +(\S+) *$/i;

const PLAIN =
  'the operators’ listener takes tokens over plain HTTP beyond loopback, where others can read them: set ADMIN_CERT_FILE and ADMIN_KEY_FILE, unless something in front of it speaks TLS';

/** A request, as far as who asks is concerned. */
export interface Asking {
  readonly headers: IncomingHttpHeaders;
  readonly socket: Socket;
}

/** Who may come to the operators' listener, and who has come. */
export class AdminAccess {
  readonly sessions: Sessions;
  readonly hosts: AdminHosts;
  readonly #environment: AccessEnvironment;
  readonly #tokens: TokenCheck;
  readonly #authorities = new Authorities();
  readonly #clock: () => number;
  readonly #watches: ConfigFileWatch[] = [];
  readonly #readAtMs = Date.now();
  #settings: AccessSettings;
  #isFaulty = false;

  /**
   * @param settings default: as the files of the environment say.
   * @throws {ConfigError} with all that keeps the listener from being safe.
   */
  constructor(
    environment: AccessEnvironment,
    logger?: Logger,
    clock: () => number = Date.now,
    settings: AccessSettings = readAccess(environment),
  ) {
    this.#environment = environment;
    this.#clock = clock;
    this.#settings = settings;
    this.#tokens = new TokenCheck(clock, logger);
    this.sessions = new Sessions(clock);
    this.hosts = adminHosts(environment.admin?.hosts ?? []);
  }

  /**
   * Of a process that answers what another one has taken, and judged: it reads no file, so that one that has become faulty does
   * not keep it from starting. By itself it lets nobody in where tokens are asked for.
   */
  static elsewhere(environment: AccessEnvironment): AdminAccess {
    return new AdminAccess(environment, undefined, Date.now, accessElsewhere(environment));
  }

  /** For metrics. */
  get state(): AdminAccessState {
    const { tokens = [] } = this.#settings.entries ?? {};
    return { isFaulty: this.#isFaulty, tokens };
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
    if (server !== undefined) this.#authorities.note(server, () => this.#settings.tls?.ca);
    if (this.needsToken && !this.isTls && !isLoopbackHost(this.#environment.adminHost)) logger.warn(PLAIN);
    const { tokensFile, certFile, keyFile, clientCaFile } = this.#environment.admin ?? {};
    const files = [tokensFile, certFile, keyFile, clientCaFile].filter((file) => file !== undefined);
    for (const file of files)
      this.#watches.push(new ConfigFileWatch(file, () => this.reread(logger, server), times));
    for (const watch of this.#watches) watch.start(this.#readAtMs);
  }

  unwatch(): void {
    for (const watch of this.#watches.splice(0)) watch.stop();
  }

  /** Reads the files again. */
  reread(logger: Logger, server?: SecureServer): void {
    try {
      const before = this.#settings.tls;
      const next = readAccess(this.#environment);
      if (next.tls !== undefined) server?.setSecureContext(next.tls);
      this.#settings = next;
      this.#isFaulty = false;
      if (before?.ca !== next.tls?.ca) server?.closeIdleConnections();
      const { tokens = [], certificates = [] } = next.entries ?? {};
      logger.info(
        { tokens: tokens.length, certificates: certificates.length },
        'operators’ access read again',
      );
    } catch (error) {
      this.#isFaulty = true;
      // Keeps the last good one: a typing error may not lock operators out. Somebody has to be told, for what was taken out holds still.
      const { code } = error as NodeJS.ErrnoException;
      const why = error instanceof ConfigError ? { faults: error.faults } : { code };
      logger.error(why, 'operators’ access not taken over: the one before holds');
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
      if (x509 !== undefined) return this.#ofCertificate(x509, socket, entries);
    }
    if (id !== undefined) return refused('unknown-session', 'the session has ended; log in again');
    return refused('no-credentials', this.#howTo);
  }

  /** Whose token it is. @param address that it comes from. */
  login(token: unknown, address = ''): Verdict {
    return this.#tokens.check(token, address, this.#settings.entries?.tokens ?? []);
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

  // A session is worth what its token is worth right now.
  #ofSession(id: string, { tokens }: AccessEntries): Caller | undefined {
    const sha256 = this.sessions.find(id);
    const entry = tokens.find((one) => one.sha256 === sha256);
    if (entry === undefined || (entry.expires ?? Infinity) <= this.#clock()) return undefined;
    return { name: entry.name, role: entry.role, by: 'session' };
  }

  #ofCertificate(x509: X509Certificate, socket: TLSSocket, { certificates }: AccessEntries): Verdict {
    // Node has looked at it when the connection was made, which may be long ago.
    const isCurrent =
      x509.validToDate.getTime() > this.#clock() && this.#authorities.holds(socket, this.#settings.tls?.ca);
    const isTrusted = socket.authorized && isCurrent;
    const names = isTrusted ? certificateNames(x509) : undefined;
    const entry = names && certificates.find(({ kind, matches }) =>
      kind === 'subject' ? matches(names.subject.get('CN') ?? '') : names[kind].some((name) => matches(name)),
    ); // prettier-ignore
    if (entry !== undefined) return { caller: { name: entry.name, role: entry.role, by: 'certificate' } };
    const why = isTrusted ? 'is listed nowhere in the file of ADMIN_TOKENS_FILE' : 'is signed by nobody whom ADMIN_CLIENT_CA_FILE names, or has expired'; // prettier-ignore
    return refused('unknown-certificate', `this certificate ${why}`);
  }
}
