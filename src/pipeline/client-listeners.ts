import { Inject, Injectable, Optional } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyInstance } from 'fastify';
import { ConfigError, type ConfigFault } from '../config/config-fault.ts';
import type { Environment } from '../config/env.schema.ts';
import { ENVIRONMENT } from '../config/tokens.ts';
import type { ListenerDeps } from '../listeners/listener.ts';
import { Listeners } from '../listeners/listeners.ts';
import { FaultPlaces } from '../routing/fault-places.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import { Reloads } from '../snapshot/reloads.ts';
import { Snapshots } from '../snapshot/snapshots.ts';
import { formOfPeer } from '../exchange/address-form.ts';
import { ClientAddress } from './client-address.ts';
import { ConnectionLimit } from './connection-limit.ts';
import { whenAccepted } from './connections.ts';
import { fastifyOptions } from './fastify-options.ts';
import { HookDeps } from './hook-deps.ts';

const ANY_HOST = '0.0.0.0';

/** The listeners of the configuration, if it has any, in front of the one server that Fastify answers for. */
@Injectable()
export class ClientListeners {
  readonly #listeners: Listeners;
  readonly #snapshots: Snapshots;
  readonly #fastify: FastifyInstance;

  constructor(
    host: HttpAdapterHost,
    snapshots: Snapshots,
    reloads: Reloads,
    deps: HookDeps,
    @Optional() @Inject(ENVIRONMENT) environment?: Environment,
  ) {
    const fastify = host.httpAdapter.getInstance<FastifyInstance>();
    this.#snapshots = snapshots;
    this.#fastify = fastify;
    this.#listeners = new Listeners(listenerDeps(fastify, snapshots, deps), environment?.host ?? ANY_HOST);
    reloads.ports = {
      prepare: (source) => this.#prepare(source),
      use: ({ deps: { listeners } }) => listeners && this.#listeners.use(listeners),
      giveUp: () => this.#listeners.giveUp(),
    };
    fastify.addHook('preClose', (done) => this.#leave(done));
  }

  /**
   * Listens as the configuration says.
   *
   * @returns the addresses, in the order of the file; none where it says nothing, and others have to listen.
   * @throws {ConfigError} with the ports that cannot be listened on; nothing listens then.
   */
  async listen(): Promise<readonly string[]> {
    const { source, deps } = this.#snapshots.current;
    if (deps.listeners === undefined) return [];
    await this.#fastify.ready();
    const faults = await this.#prepare(source);
    if (faults.length > 0) {
      this.#listeners.giveUp();
      throw new ConfigError(faults);
    }
    this.#listeners.use(deps.listeners);
    return this.urls;
  }

  /** Where it listens. */
  get urls(): readonly string[] {
    return this.#listeners.all.map(({ url }) => url);
  }

  /** Tries to listen, and closes everything again. @returns what cannot be listened on. */
  async probe(): Promise<readonly ConfigFault[]> {
    const faults = await this.#prepare(this.#snapshots.current.source);
    this.#listeners.giveUp();
    return faults;
  }

  /** Tells clients whose connections stay open for long that they will end. */
  announce(): void {
    for (const listener of this.#listeners.all) listener.announce();
  }

  async #prepare(source: GatewaySource): Promise<readonly ConfigFault[]> {
    const { listeners } = source.value;
    if (listeners === undefined) return [];
    const faults = await this.#listeners.prepare(listeners);
    const places = new FaultPlaces(source);
    return faults.map(({ index, key, message }) =>
      places.placeSource({ path: ['listeners', index, key], message }),
    );
  }

  #leave(done: () => void): void {
    const all = [...this.#listeners.all];
    const next = (): void => {
      const listener = all.pop();
      if (listener === undefined) this.#listeners.leave();
      if (listener === undefined) done();
      else whenAccepted(listener.server, next);
    };
    next();
  }
}

function listenerDeps(fastify: FastifyInstance, snapshots: Snapshots, deps: HookDeps): ListenerDeps {
  const { connections, logger, metrics } = deps;
  const limit = new ConnectionLimit(snapshots, metrics);
  const { http, keepAliveTimeout = 0 } = fastifyOptions(
    logger,
    snapshots.current.source.value.identity?.tokens.maxSize,
  );
  return {
    main: fastify.server,
    http: http ?? {},
    keepAliveMs: keepAliveTimeout,
    logger,
    ticketSecret: deps.ticketSecret,
    accepted: (socket) => connections.greets(socket),
    taken: (socket) => connections.taken(socket),
    watch: (server) => connections.watch(server),
    isAmong: (list, address) => new ClientAddress(list).isTrusted(formOfPeer(address)),
    admit: (socket, peer, perAddress) => limit.admit(socket, peer, perAddress),
    denied: (peer, reason) => limit.denied(formOfPeer(peer), 'clientCertificates', reason),
  };
}
