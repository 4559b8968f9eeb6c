import { bundleOf } from '../config/config-bundle.ts';
import type { ConfigFault } from '../config/config-fault.ts';
import { hash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { GatewayConfig } from '../routing/gateway.schema.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import type { FollowedCluster, ObjectVerdict } from '../snapshot/followed-cluster.ts';
import type { ConfigAddition, Reload } from '../snapshot/reload-deps.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { ClusterApi } from '../upstreams/discovery/kubernetes/cluster-api.ts';
import { withAdded } from './added-text.ts';
import { blamed, ownersOf } from './blame.ts';
import { ClusterFeeds } from './cluster-feeds.ts';
import { ClusterReport } from './cluster-report.ts';
import { verdictsOn } from './object-verdicts.ts';
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
  readonly metrics: Pick<Metrics, 'registry' | 'changes'>;
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
  readonly #report: ClusterReport;
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
  #verdicts: readonly ObjectVerdict[] | undefined = undefined;
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
    const report = new ClusterReport({ ...deps, read: () => this.followed });
    this.#report = report;
    const { logger } = deps;
    this.#writer = options.status
      ? new StatusWriter({ api: this.#api, logger, ...options, wrote: (outcome) => report.wrote(outcome) })
      : undefined;
    this.#feeds = new ClusterFeeds({
      ...options,
      api: this.#api,
      absentAfterMs: options.absentAfter,
      maxStaleMs: options.maxStale,
      changed: () => this.#changed(),
      failed: (watch, why) => report.failed(watch, why),
      lost: (watch, objects) => report.lost(watch, objects),
      found: (watch) => report.found(watch),
    });
  }

  /** What readiness waits for: that all kinds were listed, and are in force. */
  get awaited(): readonly string[] {
    const awaited = this.#feeds.awaited.map((one) => `the cluster's ${one}`);
    return awaited.length > 0 || this.#isInForce ? awaited : ['the configuration of the cluster'];
  }

  /** What of the cluster has not been heard of for too long, in words. */
  get stale(): readonly string[] {
    return this.#feeds.watches.filter(({ state }) => state === 'stale').map(({ title }) => title);
  }

  /** See {@link ConfigAddition}. */
  get followed(): FollowedCluster {
    const { controller, maxRoutes } = this.#options;
    return {
      controller,
      ...(this.#writer && { isLeader: this.#writer.isLeader }),
      routes: this.#translation.routes.length,
      maxRoutes,
      watches: this.#feeds.watches,
      objects: (this.#verdicts ??= verdictsOn(this.#feeds, this.#translation)),
    };
  }

  start(): void {
    this.#feeds.start();
    this.#writer?.start();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#report.close();
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
  get mark(): Translation {
    return this.#translation;
  }

  /** See {@link ConfigAddition}. */
  takeOut(faults: readonly ConfigFault[], mark: object = this.#translation): boolean {
    // What was added is looked up in what it was added of: events come while it is compiled.
    const of = mark as Translation;
    const byId = new Map(of.routes.map((route) => [route.id, route]));
    let isAny = false;
    for (const { routeId, key, message } of faults) {
      isAny = this.#closePort(of, key, message) || isAny;
      const route = byId.get(routeId ?? '');
      const own = route === undefined ? ownersOf(of, key) : [blamed(route, key)];
      for (const one of own) {
        const place = brokenKey(one);
        // Another version of it is not to blame for this one.
        if (this.#broken.has(place) || this.#hasChanged(one)) continue;
        this.#broken.set(place, {
          of: one,
          message: `${key.replace(/^routes\[[^\]]*\]\.?/, '')}: ${message}`,
        });
        isAny = true;
      }
    }
    if (isAny) this.#translate();
    return isAny || of !== this.#translation;
  }

  // Those that are added stand behind those of the file.
  #closePort({ listeners }: Translation, key: string, message: string): boolean {
    const index = /^listeners\[(\d+)\]/.exec(key)?.[1];
    if (index === undefined) return false;
    const added = new Set(this.#inForce.map(({ port }) => port));
    const own = this.#deps.listeners()?.filter(({ port }) => !added.has(port)).length ?? 0;
    const port = Number(listeners[Number(index) - own]?.['port'] ?? NaN);
    if (Number.isNaN(port) || this.#unusable.has(port)) return false;
    this.#unusable.set(port, message);
    return true;
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
    this.#report.remark(this.#translation.remarks);
  }

  #translate(): void {
    this.#folder.begin();
    const broken = new Map([...this.#broken].map(([key, { message }]) => [key, message]));
    this.#translation = translate(this.#feeds, this.#settings(), { check: policyFaults, broken });
    this.#verdicts = undefined;
  }

  // Whoever has changed is tried again.
  #forgetMended(): void {
    this.#unusable.clear();
    for (const [key, { of }] of this.#broken) if (this.#hasChanged(of)) this.#broken.delete(key);
  }

  #hasChanged({ kind, namespace, name, version, generation }: Resource): boolean {
    const now = this.#feeds.get(kind as Parameters<ClusterFeeds['get']>[0], namespace, name);
    return now?.version !== version && now?.generation !== generation;
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
}

const NOTHING: Translation = { routes: [], upstreams: new Map(), listeners: [], statuses: [], remarks: [] };

/** The policies as they are written: parsed ones cannot be read again. */
function writtenPolicies({ document }: GatewaySource): Json | undefined {
  const section = (document.value as { kubernetes?: { policies?: Json } } | null)?.kubernetes;
  return section?.policies;
}
