import { FaultPlaces } from './fault-places.ts';
import type { GatewayConfig } from './gateway.schema.ts';
import type { LiveRoutes } from './route-action.ts';
import { tableFaults } from './route-faults.ts';
import type { RouteTable } from './route-table.ts';
import type { Route, RouteDefinition } from './route.ts';
import { compileAll, type TableParts } from './table-builder.ts';

/** The routes of a gateway that runs, for kinds of actions whose routes come and go. */
export class TableRoutes implements LiveRoutes {
  readonly #table: RouteTable;
  readonly #parts: Omit<TableParts, 'controllers' | 'definitions'>;
  readonly #places: FaultPlaces;

  constructor(table: RouteTable, parts: Omit<TableParts, 'controllers' | 'definitions'>) {
    this.#table = table;
    this.#parts = parts;
    this.#places = new FaultPlaces(parts.source);
  }

  /** Starts the kinds of actions; nothing waits for what they begin. */
  start(): void {
    for (const kind of this.#parts.actions) kind.start?.(this);
  }

  /** Ends what they began. */
  stop(): void {
    for (const kind of this.#parts.actions) kind.stop?.();
  }

  get config(): GatewayConfig {
    return this.#parts.source.value;
  }

  originOf(index: number): string {
    return this.#places.originOf(index);
  }

  peek(asked: Parameters<LiveRoutes['peek']>[0]): Route | undefined {
    return this.#table.peek(asked);
  }

  replace(origin: string, definitions: readonly RouteDefinition[]): void {
    const { routes: fresh, faults } = compileAll(definitions, this.#parts);
    const others = this.#table.routes.filter((one) => one.origin !== origin || one.door !== 'proxy');
    const all = [...others, ...fresh];
    const fault = faults[0] ?? tableFaults(all, (one) => definitionFor(one, definitions))[0];
    if (fault !== undefined) throw fault;
    this.#table.replace(all);
  }
}

// A fault of a route that was there before is one of the newcomers' making.
function definitionFor(route: Route, definitions: readonly RouteDefinition[]): RouteDefinition {
  const own = definitions.find((one) => one.id === route.id && one.origin === route.origin);
  return own ?? { ...route, policies: [] };
}
