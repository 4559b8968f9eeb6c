import type { ConfigFault } from '../config/config-fault.ts';
import type { Upstream } from '../upstreams/upstream.ts';
import { FaultPlaces } from './fault-places.ts';
import type { GatewayConfig } from './gateway.schema.ts';
import type { ActionKind, LiveRoutes, LiveWork } from './route-action.ts';
import { RouteFault } from './route-fault.ts';
import { tableFaults } from './route-faults.ts';
import type { RouteTable } from './route-table.ts';
import type { Route, RouteDefinition } from './route.ts';
import { compileAll, type TableDeps } from './table-builder.ts';

/** The routes of one configuration, for kinds of actions whose routes come and go, and what these do for them. */
export class TableRoutes implements LiveRoutes {
  readonly #table: RouteTable;
  readonly deps: Omit<TableDeps, 'controllers' | 'definitions'>;
  readonly #places: FaultPlaces;
  readonly #works = new Map<ActionKind, LiveWork>();

  constructor(table: RouteTable, deps: Omit<TableDeps, 'controllers' | 'definitions'>) {
    this.#table = table;
    this.deps = deps;
    this.#places = new FaultPlaces(deps.source);
    for (const kind of deps.actions) {
      const work = kind.work?.(this);
      if (work !== undefined) this.#works.set(kind, work);
    }
  }

  /** Starts what the kinds do; nothing waits for what they begin. */
  start(): void {
    for (const work of this.#works.values()) work.start?.();
  }

  /** Ends it. */
  stop(): void {
    for (const work of this.#works.values()) work.stop?.();
  }

  /**
   * Takes over what was learned before a reload; it holds until it is asked for again.
   *
   * @returns what it does not go with.
   */
  adopt(previous: TableRoutes): readonly ConfigFault[] {
    const faults: ConfigFault[] = [];
    for (const [kind, work] of this.#works) {
      const before = previous.#works.get(kind);
      try {
        if (before !== undefined) work.adopt?.(before);
      } catch (error) {
        if (!(error instanceof RouteFault)) throw error;
        faults.push(this.#places.place(error));
      }
    }
    return faults;
  }

  get config(): GatewayConfig {
    return this.deps.source.value;
  }

  originOf(index: number): string {
    return this.#places.originOf(index);
  }

  upstream(name: string): Upstream {
    return this.deps.upstreams.get(name);
  }

  peek(asked: Parameters<LiveRoutes['peek']>[0]): Route | undefined {
    return this.#table.peek(asked);
  }

  replace(origin: string, definitions: readonly RouteDefinition[]): void {
    const team = this.#teamOf(origin);
    const whose = team === undefined ? definitions : definitions.map((one) => ({ ...one, team }));
    const { routes: fresh, faults } = compileAll(whose, this.deps);
    const others = this.#table.routes.filter((one) => one.origin !== origin || one.door !== 'proxy');
    const all = [...others, ...fresh];
    const fault = faults[0] ?? tableFaults(all, (one) => definitionFor(one, definitions))[0];
    if (fault !== undefined) throw fault;
    this.#table.replace(all);
  }

  // Those that are learned of a team's upstream are the team's, and may be no more than others of it.
  #teamOf(origin: string): string | undefined {
    const { teams } = this.deps.source;
    return teams?.ofRoutes.find((one, index) => one !== undefined && this.originOf(index) === origin)?.team;
  }
}

// A fault of a route that was there before is one of the newcomers' making.
function definitionFor(route: Route, definitions: readonly RouteDefinition[]): RouteDefinition {
  const own = definitions.find((one) => one.id === route.id && one.origin === route.origin);
  return own ?? { ...route, retry: undefined, hedge: undefined, policies: [] };
}
