import type { Type } from '@nestjs/common';
import { dirname } from 'node:path';
import { secretFilesOf, textOf } from '../config/secret-files.ts';
import { auditFileFault } from '../audit/audit-file-faults.ts';
import type { AuditTrail } from '../audit/audit-trail.ts';
import type { ConfigFault } from '../config/config-fault.ts';
import { INCOMPLETE } from '../config/remains.ts';
import type { Identity, IdentitySection } from '../policies/authentication/identity.ts';
import { inFile } from '../policies/authentication/identity-place.ts';
import { loadCacheKeys } from '../policies/cache/cache-keys.ts';
import type { KeyRing as SealingKeys } from '../policies/authentication/login/key-ring.ts';
import type { CacheRooms } from '../policies/cache/cache-rooms.ts';
import type { LoadMonitor } from '../policies/load-shedding/load-monitor.ts';
import type { StageFactory } from '../policies/stage-factory.ts';
import { BootFaults } from '../routing/boot-faults.ts';
import { FaultPlaces } from '../routing/fault-places.ts';
import { TableRoutes } from '../routing/live-routes.ts';
import type { ActionKind, SourceFault } from '../routing/route-action.ts';
import type { RouteDefinition } from '../routing/route.ts';
import type { RouteTable } from '../routing/route-table.ts';
import { identityOf } from '../routing/roles.schema.ts';
import { atOnce, inTurns, type Steps } from '../routing/steps.ts';
import { buildInSteps, type GatewaySource } from '../routing/table-builder.ts';
import { lineStreamOf, type Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Owners } from '../telemetry/team-labels.ts';
import { learnFileText, learnVariables } from '../telemetry/redaction.ts';
import { redactNames } from '../telemetry/secret-names.ts';
import { loadListeners, type ListenerSettings } from '../listeners/listener-settings.ts';
import type { KeyRing } from '../signing/key-ring.ts';
import { KeyRings } from '../signing/key-rings.ts';
import { discoveryFaults, discoveryWarnings } from '../upstreams/discovery/sources.ts';
import { loadStickySecrets } from '../upstreams/sticky-secrets.ts';
import { loadTls } from '../upstreams/tls-files.ts';
import type { HintChannel } from '../upstreams/health/breaker-hints.ts';
import { UpstreamRegistry } from '../upstreams/upstream-registry.ts';
import type { EdgeCompiler } from './edge.ts';
import { identitiesOf } from './identities.ts';
import { Snapshot } from './snapshot.ts';

/** What all snapshots of a gateway share. */
export interface CompilerDeps {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly factories: readonly StageFactory[];
  /** The kinds of routes of the file. */
  readonly actions: readonly ActionKind[];
  readonly controllers: readonly Type[];
  /** Routes that neither the file nor a controller declares. */
  readonly definitions: (source: GatewaySource) => readonly RouteDefinition[];
  /** Absent only where no route asks who calls. */
  readonly identity: Identity | undefined;
  readonly compileEdge: EdgeCompiler;
  /** Takes note of what is denied. Default: nobody does. */
  readonly audit?: AuditTrail | undefined;
  /** Reaches other replicas. Default: there are none. */
  readonly channel?: HintChannel | undefined;
  /** Makes the keys that identity tokens are signed with. Default: those of files only. */
  readonly rings?: KeyRings | undefined;
  /** Knows how much the gateway has to do. Default: nobody does. */
  readonly load?: LoadMonitor | undefined;
  /** Knows how much stored answers may take. Default: nobody stores any. */
  readonly rooms?: CacheRooms | undefined;
}

/** Compiles configurations to snapshots. */
export class SnapshotCompiler {
  readonly #deps: CompilerDeps;
  readonly #rings: KeyRings;
  readonly #routes = new WeakMap<Snapshot, TableRoutes>();

  constructor(deps: CompilerDeps) {
    this.#deps = deps;
    this.#rings = deps.rings ?? new KeyRings();
  }

  /**
   * The snapshot to start with.
   *
   * @param found takes the faults of all routes; the snapshot has those that have none.
   */
  first(source: GatewaySource, found: BootFaults): Snapshot {
    return atOnce(this.#compile(source, this.#deps.identity?.section, found));
  }

  /**
   * A snapshot that can take the place of another one, from which it goes on with what did not change. It is not in force
   * yet; one that is given up has to be discarded. It is made in steps, between which requests have their turn.
   *
   * @throws {ConfigError} with all faults; nothing has changed then.
   */
  async next(source: GatewaySource, previous: Snapshot): Promise<Snapshot> {
    const { identity } = this.#deps;
    // What it goes on with may not end between two steps, whatever comes into force meanwhile.
    previous.hold();
    try {
      const section = identity && prepared(identity, source);
      const within: Within = (act) =>
        section === undefined ? act() : (identity as Identity).using(section, act);
      return await inTurns(this.#checked(source, section, previous), within);
    } finally {
      previous.release();
    }
  }

  *#checked(
    source: GatewaySource,
    section: IdentitySection | undefined,
    previous: Snapshot,
  ): Steps<Snapshot> {
    const found = new BootFaults();
    const snapshot = yield* this.#compile(source, section, found, previous);
    if (found.any) snapshot.discard();
    found.refuse();
    return snapshot;
  }

  *#compile(
    source: GatewaySource,
    section: IdentitySection | undefined,
    found: BootFaults,
    previous?: Snapshot,
  ): Steps<Snapshot> {
    const { logger, metrics } = this.#deps;
    const folder = dirname(source.document.file);
    learnVariables(source.value, process.env);
    for (const { file } of secretFilesOf(source.value, folder)) learnFileText(textOf(file) ?? '');
    const options = source.value.upstreams;
    const tls = loadTls(options, folder);
    const sticky = loadStickySecrets(options, folder);
    const sealing = loadCacheKeys(source.value.cache, folder);
    const { listeners, ...ofListeners } = loadListeners(source.value, folder);
    const { ring, ...ofRing } = this.#rings.ringOf(source.value.identity?.signing, folder);
    const identities = identitiesOf(source, ring, metrics);
    const places = new FaultPlaces(source);
    // An upstream whose files cannot be used has the system's authorities; it is never asked, for nothing starts then.
    const faults = [
      ...tls.faults,
      ...sticky.faults,
      ...sealing.faults,
      ...ofListeners.faults,
      ...ofRing.faults,
      ...identities.faults,
      ...discoveryFaults(options, { folder }),
      ...auditFaults(source, folder),
    ];
    found.add(faults.map((fault) => places.placeSource(fault)));
    // Fails closed: what is less than was written is looked at only.
    if (source.cuts !== undefined) found.addMessages(source.document.file, [INCOMPLETE]);
    const warned = [...tls.warnings, ...ofListeners.warnings, ...discoveryWarnings(options)];
    const warnings = warned.map((warning) => places.placeSource(warning));
    const upstreams = new UpstreamRegistry(options, logger, metrics, previous?.upstreams, {
      tls: tls.upstreams,
      folder,
      identities: identities.upstreams,
    });
    upstreams.keepSessions(sticky.secrets);
    upstreams.shareOver(this.#deps.channel);
    try {
      const made = { source, upstreams, listeners, keys: ring, sealing: sealing.keys };
      return yield* this.#assemble({ ...made, section, found, previous, warnings });
    } catch (error) {
      upstreams.release();
      throw error;
    }
  }

  *#assemble(assembled: Assembled): Steps<Snapshot> {
    const { source, upstreams, listeners, keys, section, sealing, found, previous, warnings } = assembled;
    const { metrics, compileEdge, definitions, controllers, factories, actions, identity } = this.#deps;
    const parts = { source, upstreams, metrics, factories, actions };
    const edge = compileEdge(source.value);
    const table = yield* buildInSteps({ ...parts, controllers, definitions: definitions(source) }, found);
    yield;
    const routes = new TableRoutes(table, parts);
    const before = previous && this.#routes.get(previous);
    if (before !== undefined && !found.any) found.add(routes.adopt(before));
    if (section !== undefined) identity?.hold(section);
    const snapshot = new Snapshot({
      source,
      table,
      upstreams,
      edge,
      listeners,
      keys,
      warnings,
      audit: this.#deps.audit,
      // All of what it was made of has the one before in it.
      begin: () => {
        metrics.teams.use(source.teams && (() => ownersOf(source, table)));
        this.#begin({ source, section, sealing }, routes);
      },
      retire: () => routes.stop(),
      end: () => section && identity?.release(section),
    });
    this.#routes.set(snapshot, routes);
    return snapshot;
  }

  #begin(
    { source, section, sealing }: Pick<Assembled, 'source' | 'section' | 'sealing'>,
    routes: TableRoutes,
  ): void {
    redactNames(source.value.logging.redact);
    lineStreamOf(this.#deps.logger).limit?.(source.value.logs.buffer);
    this.#deps.audit?.use(source.value.audit, dirname(source.document.file));
    this.#deps.load?.use(source.value.loadShedding);
    this.#deps.rooms?.use(source.value.cache, sealing);
    if (section !== undefined) this.#deps.identity?.begin(section);
    routes.start();
  }
}

type Within = <Done>(act: () => Done) => Done;
// Read when somebody looks: routes may be learned later.
function ownersOf({ teams }: GatewaySource, { routes }: RouteTable): Owners {
  const upstreams = [...(teams?.ofUpstreams ?? [])].map(([name, { team }]): [string, string] => [name, team]);
  const ofRoutes = routes.flatMap(({ id, team }): [string, string][] =>
    team === undefined ? [] : [[id, team]],
  );
  return { routes: new Map(ofRoutes), upstreams: new Map(upstreams) };
}

interface Assembled {
  readonly source: GatewaySource;
  readonly upstreams: UpstreamRegistry;
  readonly listeners: readonly ListenerSettings[] | undefined;
  readonly keys: KeyRing | undefined;
  /** What answers in Redis are encrypted with. */
  readonly sealing: SealingKeys | undefined;
  readonly section: IdentitySection | undefined;
  readonly found: BootFaults;
  readonly previous: Snapshot | undefined;
  readonly warnings: readonly ConfigFault[];
}

function auditFaults({ value }: GatewaySource, folder: string): readonly SourceFault[] {
  const message = auditFileFault(value.audit, folder);
  return message === undefined ? [] : [{ path: ['audit', 'file'], message }];
}

function prepared(identity: Identity, source: GatewaySource): IdentitySection {
  const options = identityOf(source.value);
  try {
    return identity.prepare(options);
  } catch (error) {
    throw inFile(error, source);
  }
}
