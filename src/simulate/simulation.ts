import type { Server } from 'node:http';
import { setConnection } from '../exchange/client-connection.ts';
import { namedBy, readOrder } from '../policies/authentication/revocation/revocation-order.ts';
import type { Revocations } from '../policies/authentication/revocation/revocations.ts';
import type { Recorder } from '../record/recorder.ts';
import type { RecordedExchange } from '../record/sample-format.ts';
import type { Route } from '../routing/route.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import { FakeClock } from './fake-clock.ts';
import { ask, type Answered } from './ask.ts';
import type { Got } from './judge.ts';
import type { Revoked, TestRequest } from './route-tests.schema.ts';

/** A gateway that serves on this machine, as whoever starts it has it. */
export interface StartedGateway {
  readonly url: string;
  readonly server: Server;
  readonly recorder: Recorder;
  readonly revocations: Revocations;
  readonly routes: readonly Route[];
  close(): Promise<void>;
}

/** Starts a gateway. */
export type StartGateway = (source: GatewaySource) => Promise<StartedGateway>;

/** Who has connected. */
export interface Peer {
  readonly address: string;
  readonly scheme: 'http' | 'https';
  readonly certificate: Parameters<typeof setConnection>[1]['certificate'];
}

const FOR_EVER_MS = 2 ** 31 - 1;
const ALL = {
  forMs: FOR_EVER_MS,
  rate: 1,
  max: Infinity,
  bytes: Infinity,
  perRoute: Infinity,
  bodies: 0,
  about: { gateway: '', config: '' },
};
const NO_LIMITS = {
  port: 0,
  redirectPort: undefined,
  bodyTimeMs: Infinity,
  requestsPerConnection: Infinity,
  isLeaving: false,
};

/** One gateway at one time, from its start to its end. */
export class Simulation {
  readonly clock: FakeClock;
  readonly #gateway: StartedGateway;
  readonly #source: GatewaySource;
  #exchanges: RecordedExchange[] = [];
  #peer: Peer = { address: '127.0.0.1', scheme: 'http', certificate: undefined };

  /** Starts one. @param isWaiting whether an upstream keeps somebody waiting. */
  static async begin(
    atMs: number,
    source: GatewaySource,
    start: StartGateway,
    isWaiting: () => boolean,
  ): Promise<Simulation> {
    const clock = new FakeClock(atMs);
    clock.isWaitingOnPurpose = isWaiting;
    try {
      return new Simulation(clock, source, await clock.drive(start(source)));
    } catch (error) {
      clock.restore();
      throw error;
    }
  }

  private constructor(clock: FakeClock, source: GatewaySource, gateway: StartedGateway) {
    this.clock = clock;
    this.#source = source;
    this.#gateway = gateway;
    // Who connects is said as a listener would say it.
    gateway.server.prependListener('connection', (socket: object) => {
      const { address: peer, scheme, certificate } = this.#peer;
      setConnection(socket, { listener: NO_LIMITS, peer, scheme, certificate, requests: 0 });
    });
    gateway.recorder.begin(ALL)?.lines.on('data', (line: Buffer) => {
      const text = line.toString();
      // There are empty ones, as signs of life.
      const said = (text.trim() === '' ? {} : JSON.parse(text)) as Partial<RecordedExchange>;
      if (said.method !== undefined) this.#exchanges.push(said as RecordedExchange);
    });
  }

  /** The routes of both doors. */
  get routes(): readonly Route[] {
    return this.#gateway.routes;
  }

  /** Sends a request, and waits until all that comes of it has happened. */
  async ask(
    request: TestRequest,
    peer: Peer,
    credentials: Readonly<Record<string, string>>,
  ): Promise<Pick<Got, 'exchange'> & { readonly answered: Answered }> {
    this.#peer = peer;
    this.#exchanges = [];
    const answered = await this.clock.drive(ask(this.#gateway.url, request, credentials));
    await this.clock.settle();
    return { answered, exchange: this.#exchanges[0] };
  }

  /** Takes somebody back. @throws {OrderFault} when nobody knows whom. */
  async revoke({ jti, sid, sub, issuer }: Revoked): Promise<void> {
    const { revocation, issuers = [], login } = this.#source.value.identity ?? {};
    const known = [...issuers.map((one) => one.issuer), ...(login === undefined ? [] : [login.issuer])];
    const terms = { issuers: known, longest: revocation?.longest ?? 0, nowMs: this.clock.nowMs };
    namedBy({ jti, sid, sub, issuer }, terms.issuers);
    await this.#gateway.revocations.revoke([readOrder({ jti, sid, sub, issuer }, terms)]);
  }

  /** Ends it. */
  async end(): Promise<void> {
    try {
      await this.clock.drive(this.#gateway.close());
    } finally {
      this.clock.restore();
    }
  }
}
