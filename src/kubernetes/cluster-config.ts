import { bundleOf } from '../config/config-bundle.ts';
import type { ConfigFault } from '../config/config-fault.ts';
import { hash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { GatewayConfig } from '../routing/gateway.schema.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import type { ConfigAddition, Reload } from '../snapshot/reload-deps.ts';
import type { Logger } from '../telemetry/logger.ts';
import { ClusterApi } from '../upstreams/discovery/kubernetes/cluster-api.ts';
import { withAdded } from './added-text.ts';
import { ClusterFeeds } from './cluster-feeds.ts';
import type { Json, Resource } from './resource.ts';
import { boundConfigOf, configOf, surroundingsIn } from './file-surroundings.ts';
import { policyFaults } from './policy-faults.ts';
import { SecretFolder } from './secret-folder.ts';
import { StatusWriter } from './status-writer.ts';
import type { Settings } from './translate/settings.ts';
import { brokenKey } from './translate/broken.ts';
import { translate, type Translation } from './translate/translate.ts';

/** The `kubernetes:` section, parsed. */
export type ClusterOptions = NonNullable<GatewayConfig['kubernetes']>;

/** What a cluster as a source of configuration needs of the gateway. */
export interface ClusterConfigDeps {
  readonly logger: Logger;
  /** The file that the gateway began with. */
  readonly source: GatewaySource;
  readonly environmentPort: number;
  /** Where the gateway has the public keys of tokens for services; undefined where it signs none. */
  keysPath(): string | undefined;
  /** The listeners in force; undefined where the file has none. */
  listeners(): readonly { readonly port: number; readonly tls?: unknown }[] | undefined;
  /** Puts file and cluster into force together. */
  reload(): Promise<Reload>;
}

const STALE_LOOK_MS = 30_000;

/**
 * Routes, upstreams and listeners that the objects of a cluster say, added to those of the file: one document, checked and
 * put into force as a file is. An object with a fault is left out, and says so in its status.
 */
export class ClusterConfig implements ConfigAddition {
  readonly #deps: ClusterConfigDeps;
  readonly #options: ClusterOptions;
  readonly #api: ClusterApi;
  readonly #feeds: ClusterFeeds;
  readonly #folder: SecretFolder;
  readonly #writer: StatusWriter | undefined;
  readonly #told = new Map<string, string>();
  /** Objects that could not be compiled, by key: the version of which, and why. */
  readonly #broken = new Map<string, { readonly of: Resource; readonly message: string }>();
  /** Ports that could not be opened, and why. */
  readonly #unusable = new Map<number, string>();
  #translation: Translation = NOTHING;
  /** The listeners of the translation that is in force. */
  #inForce: Translation['listeners'] = [];
  #text = '';
  #surroundings: string;
  #timer: NodeJS.Timeout | undefined = undefined;
  readonly #look: NodeJS.Timeout;
  #isRunning = false;
  #isDue = false;
  #isClosed = false;
  #isInForce = false;

  constructor(deps: ClusterConfigDeps, options: ClusterOptions) {
    this.#deps = deps;
    this.#options = options;
    const { file, text } = deps.source.document;
    this.#surroundings = surroundingsIn(bundleOf(text).main);
    const { kubeconfig, context, folder } = options;
    const access = { kubeconfig: kubeconfig && resolve(dirname(file), kubeconfig), context };
    this.#api = new ClusterApi(access);
    this.#folder = new SecretFolder(folder && resolve(dirname(file), folder));
    this.#writer = options.status
      ? new StatusWriter({ api: this.#api, logger: deps.logger, ...options })
      : undefined;
    this.#feeds = new ClusterFeeds({
      api: this.#api,
      namespaces: options.namespaces,
      gatewayApi: options.gatewayApi,
      ingress: options.ingress,
      changed: () => this.#changed(),
      failed: (what, why) => deps.logger.warn({ what, why }, 'the cluster cannot be followed'),
    });
    this.#look = setInterval(() => this.#warnOfAge(), STALE_LOOK_MS).unref();
  }

  /** What readiness waits for: that all kinds were listed, and are in force. */
  get awaited(): readonly string[] {
    const awaited = this.#feeds.awaited.map((one) => `the cluster's ${one}`);
    return awaited.length > 0 || this.#isInForce ? awaited : ['the configuration of the cluster'];
  }

  start(): void {
    this.#feeds.start();
    this.#writer?.start();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#look);
    await Promise.all([this.#feeds.stop(), this.#writer?.close()]);
    this.#api.close();
    this.#folder.close();
  }

  /** See {@link ConfigAddition}. */
  added(text: string): string {
    const { routes, upstreams, listeners } = this.#translation;
    // Fails closed: a port that the file opens is none that routes are attached to, even if they are at all of those before.
    const isKnown = surroundingsIn(text) === this.#surroundings;
    return withAdded(text, { routes: routes.map(isKnown ? configOf : boundConfigOf), upstreams, listeners });
  }

  /** See {@link ConfigAddition}. */
  fileInForce(text: string): void {
    const surroundings = surroundingsIn(text);
    if (surroundings === this.#surroundings) return;
    this.#surroundings = surroundings;
    if (this.#feeds.awaited.length > 0) return;
    this.#translate();
    this.#changed();
  }

  /** See {@link ConfigAddition}. */
  takeOut(faults: readonly ConfigFault[]): boolean {
    const byId = new Map(this.#translation.routes.map((route) => [route.id, route]));
    let isAny = false;
    for (const { routeId, key, message } of faults) {
      isAny = this.#closePort(key, message) || isAny;
      const route = byId.get(routeId ?? '');
      const own = route === undefined ? this.#ownersOf(key) : [blamed(route, key)];
      for (const of of own) {
        const place = brokenKey(of);
        if (this.#broken.has(place)) continue;
        this.#broken.set(place, { of, message: `${key.replace(/^routes\[[^\]]*\]\.?/, '')}: ${message}` });
        isAny = true;
      }
    }
    if (isAny) this.#translate();
    return isAny;
  }

  // Those that are added stand behind those of the file.
  #closePort(key: string, message: string): boolean {
    const index = /^listeners\[(\d+)\]/.exec(key)?.[1];
    if (index === undefined) return false;
    const added = new Set(this.#inForce.map(({ port }) => port));
    const own = this.#deps.listeners()?.filter(({ port }) => !added.has(port)).length ?? 0;
    const port = Number(this.#translation.listeners[Number(index) - own]?.['port'] ?? NaN);
    if (Number.isNaN(port) || this.#unusable.has(port)) return false;
    this.#unusable.set(port, message);
    return true;
  }

  /** Objects whose routes lead to the upstream that a fault is about. */
  #ownersOf(key: string): readonly Resource[] {
    const name = /^upstreams\[([^\]]+)\]/.exec(key)?.[1];
    if (name === undefined || !this.#translation.upstreams.has(name)) return [];
    const { routes } = this.#translation;
    return routes
      .filter(({ config }) => JSON.stringify(config).includes(`"${name}"`))
      .map(({ owner }) => owner);
  }

  #changed(): void {
    if (this.#isClosed || this.#feeds.awaited.length > 0) return;
    this.#isDue = true;
    // The first change decides how long the others are waited for, so that many of them do not put it off for ever.
    this.#timer ??= setTimeout(() => void this.#publish(), this.#options.settle);
  }

  async #publish(): Promise<void> {
    this.#timer = undefined;
    if (this.#isRunning || this.#isClosed) return;
    this.#isRunning = true;
    try {
      while (this.#isDue && !this.#isClosed) {
        this.#isDue = false;
        await this.#putIntoForce();
      }
    } catch (err) {
      this.#deps.logger.error({ err }, 'unforeseen fault of the configuration of a cluster');
    } finally {
      this.#isRunning = false;
    }
  }

  async #putIntoForce(): Promise<void> {
    this.#forgetMended();
    this.#translate();
    const text = this.#textOf();
    if (text !== this.#text) {
      const { outcome } = await this.#deps.reload();
      if (outcome === 'reloaded' || outcome === 'unchanged') {
        this.#text = this.#textOf();
        this.#inForce = this.#translation.listeners;
        this.#isInForce = true;
        this.#folder.tidy();
      }
    } else this.#isInForce = true;
    if (this.#isInForce && !this.#isClosed) this.#writer?.wants(this.#translation.statuses);
    this.#remark();
  }

  #translate(): void {
    this.#folder.begin();
    const broken = new Map([...this.#broken].map(([key, { message }]) => [key, message]));
    this.#translation = translate(this.#feeds, this.#settings(), { check: policyFaults, broken });
  }

  // Whoever has changed is tried again.
  #forgetMended(): void {
    this.#unusable.clear();
    for (const [key, { of }] of this.#broken) {
      const now = this.#feeds.get(of.kind as Parameters<ClusterFeeds['get']>[0], of.namespace, of.name);
      if (now?.version !== of.version && now?.generation !== of.generation) this.#broken.delete(key);
    }
  }

  #textOf(): string {
    const { routes, upstreams, listeners } = this.#translation;
    return hash(
      'sha256',
      JSON.stringify([routes.map(({ config }) => config), [...upstreams], listeners]),
      'hex',
    );
  }

  #settings(): Settings {
    const { controller, ports, addresses, service, maxRoutes, policies, kubeconfig, context } = this.#options;
    // Those in force, but for what we have added.
    const added = new Set(this.#inForce.map(({ port }) => port));
    const listeners = this.#deps.listeners()?.filter(({ port }) => !added.has(port));
    return {
      controller,
      ports,
      addresses,
      service,
      maxRoutes,
      reserved: [this.#deps.keysPath() ?? []].flat(),
      policies: writtenPolicies(this.#deps.source) ?? (policies as Json | undefined) ?? {},
      access: { kubeconfig, context },
      unusable: this.#unusable,
      environmentPort: this.#deps.environmentPort,
      filePorts: listeners?.map(({ port, tls }) => ({ port, hasTls: tls !== undefined })),
      fileOf: (text, kind) => this.#folder.fileOf(text, kind),
    };
  }

  #remark(): void {
    for (const remark of this.#translation.remarks) {
      if (this.#told.has(remark)) continue;
      this.#told.set(remark, remark);
      this.#deps.logger.warn({ remark }, 'an object of the cluster is not served as it says');
    }
    for (const remark of this.#told.keys())
      if (!this.#translation.remarks.includes(remark)) this.#told.delete(remark);
  }

  #warnOfAge(): void {
    for (const { title, ageMs, why } of this.#feeds.staleSince(this.#options.maxStale))
      this.#deps.logger.warn(
        { what: title, ageMs: Math.round(ageMs), why },
        'the cluster has not been heard for long; what is known stays in force',
      );
  }
}

const NOTHING: Translation = { routes: [], upstreams: new Map(), listeners: [], statuses: [], remarks: [] };

/** Whose fault it is: of a policy that is attached to the route, or of the route itself. */
function blamed({ owner, policies, config }: Translation['routes'][number], key: string): Resource {
  const name = /\.policies\.(\w+)/.exec(key)?.[1];
  const own = name === undefined ? undefined : policies.get(name);
  return own !== undefined && (config['policies'] as Json | undefined)?.[name ?? ''] !== undefined
    ? own
    : owner;
}

/** The policies as they are written: parsed ones cannot be read again. */
function writtenPolicies({ document }: GatewaySource): Json | undefined {
  const section = (document.value as { kubernetes?: { policies?: Json } } | null)?.kubernetes;
  return section?.policies;
}
