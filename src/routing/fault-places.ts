import type { ConfigFault } from '../config/config-fault.ts';
import type { ReadConfig } from '../config/config-reader.ts';
import { renderPath } from '../config/config-path.ts';
import { NearestNames } from '../config/nearest-name.ts';
import type { GatewayConfig } from './gateway.schema.ts';
import type { RouteFault } from './route-fault.ts';
import type { RouteDefinition } from './route.ts';
import type { SourceFault } from './route-action.ts';

/** Something to be said about a route, below one of its keys. */
export interface RouteRemark extends Pick<RouteFault, 'key' | 'message'> {
  /** The nearest valid name; of an upstream it is found here. */
  readonly suggestion?: string | undefined;
  readonly definition: Pick<RouteDefinition, 'id' | 'origin' | 'matchKey' | 'upstream'> &
    Partial<Pick<RouteDefinition, 'below' | 'code'>> & { readonly policies?: object };
}

/** Finds where in the configuration file the routes stand that something is said about. */
export class FaultPlaces {
  readonly #source: ReadConfig<GatewayConfig>;
  readonly #upstreams: NearestNames;
  /** The index of a route in the configuration, by its origin; made for the first fault, for most files have none. */
  #indexes: ReadonlyMap<string, number> | undefined = undefined;

  constructor(source: ReadConfig<GatewayConfig>) {
    this.#source = source;
    this.#upstreams = new NearestNames(Object.keys(source.value.upstreams));
  }

  /** Where the route at an index of the configuration stands: `gateway.yaml:12:5`. */
  originOf(index: number): string {
    const { document } = this.#source;
    const { file = document.file, line, column } = document.locate(['routes', index]);
    return `${file}:${line}:${column}`;
  }

  /** Places what was found where a route or an upstream is read. */
  placeSource({ path, message, suggestion }: SourceFault): ConfigFault {
    const { value, document } = this.#source;
    const [section, name] = path;
    const routeId = section === 'routes' ? value.routes[name as number]?.id : undefined;
    const isNamed = section === 'routes' || section === 'upstreams';
    const below = renderPath(path.slice(2), undefined);
    const key = isNamed
      ? `${section}[${routeId ?? name}]${below === '' || below.startsWith('[') ? '' : '.'}${below}`
      : renderPath(path, undefined);
    return { file: document.file, ...document.locate(path), routeId, key, message, suggestion };
  }

  /** Places what is said of a compiled route; one that is not in the file is named by its origin. */
  place({ definition, key: given, message, suggestion: near }: RouteRemark): ConfigFault {
    const { document } = this.#source;
    // What a translated route matches is not in the file but in its schema.
    const { matchKey } = definition;
    const key = matchKey !== undefined && given[0] === 'match' ? [matchKey] : belowOf(definition, given);
    const suggestion = given[0] === 'upstream' ? this.#upstreams.to(definition.upstream ?? '') : near;
    const index = this.#indexOf(definition.origin);
    // What has a section of the file to itself.
    if (index === undefined && key !== given && matchKey === undefined)
      return {
        file: document.file,
        ...document.locate(key),
        key: renderPath(key, undefined),
        message,
        suggestion,
      };
    if (index === undefined)
      return {
        file: definition.origin,
        key: renderPath(key, undefined),
        message,
        suggestion,
        code: { at: definition.code },
      };
    const { file = document.file, line, column } = document.locate(['routes', index, ...key]);
    // A part of a route has an id that is not in the file.
    const routeId = definition.below === undefined ? definition.id : this.#source.value.routes[index]?.id;
    const name = `routes[${routeId}].${renderPath(key, undefined)}`;
    return { file, line, column, routeId, key: name, message, suggestion };
  }

  // By origin, because an id that stands twice is one of the faults.
  #indexOf(origin: string): number | undefined {
    this.#indexes ??= new Map(this.#source.value.routes.map((_, index) => [this.originOf(index), index]));
    return this.#indexes.get(origin);
  }
}

/** Where a key stands that one of several definitions of a route says for itself. */
function belowOf(
  { below, policies }: RouteRemark['definition'],
  key: RouteRemark['key'],
): readonly (string | number)[] {
  if (below === undefined || key[0] === 'match') return key;
  const [own] = policies as readonly Readonly<Record<string, unknown>>[];
  return key[0] === 'policies' && own?.[String(key[1])] === undefined ? key : [...below, ...key];
}
