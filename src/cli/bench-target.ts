import type { LoadRequest } from '../bench/load.ts';
import { nearestName } from '../config/nearest-name.ts';
import { explain } from '../explain/explain.ts';
import { ExplainFault, readExplainInput } from '../explain/explain.schema.ts';
import type { Explanation } from '../explain/explanation.ts';
import type { Route } from '../routing/route.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import type { BenchCommand } from './bench-command.ts';
import type { OfferedModules } from './commands.ts';
import { compiled } from './compiled.ts';
import { UsageError } from './options.ts';

/** What is measured. */
export interface BenchTarget {
  readonly source: GatewaySource;
  readonly route: Route;
  /** Where the file has the route, and what it says; undefined for one that is not in it. */
  readonly index: number | undefined;
  readonly raw: Record<string, unknown> | undefined;
  readonly request: LoadRequest;
  /** Name of its upstream; `none` for a route that asks nobody. */
  readonly upstream: string;
  /** Origin of the first target of the upstream. */
  readonly origin: string | undefined;
  /** The path that the upstream is asked for. */
  readonly sentPath: string;
}

/**
 * Finds the route, and makes the request that it is measured by.
 *
 * @throws {UsageError} where there is no such route, or another one takes the request.
 */
export async function benchTarget(
  command: BenchCommand,
  body: string | undefined,
  offered: OfferedModules,
): Promise<BenchTarget> {
  const { gateway, source, current } = await compiled(command.configFile, offered);
  try {
    const route = routeOf(command.route, current.table.routes);
    const request = requestOf(command, route, body);
    const told = await explained(request, (input) => explain(readExplainInput(input), current));
    const taken = told.match.route?.id;
    if (taken !== route.id)
      throw new UsageError(
        `bench: ${request.method} ${request.path} is taken by ${taken === undefined ? 'no route' : `route ${taken}`}, not by ${route.id}; say a request that it takes with --method, --path and --header`,
      );
    const at = source.value.routes.findIndex(({ id }) => id === route.id);
    const raw = (source.document.value as { routes?: Record<string, unknown>[] }).routes?.[at];
    const upstream = route.upstream ?? 'none';
    const origin = source.value.upstreams[upstream]?.targets[0]?.url;
    if (command.real && origin?.startsWith('http://') !== true)
      throw new UsageError('--real: the bare pipe needs an upstream with a target of http://; leave it out');
    return {
      source,
      route,
      index: at < 0 ? undefined : at,
      raw,
      request,
      upstream,
      origin,
      sentPath: sentPathOf(told, request),
    };
  } finally {
    await gateway.app.close();
  }
}

function routeOf(id: string, routes: readonly Route[]): Route {
  const route = routes.find((one) => one.id === id);
  if (route !== undefined) return route;
  const nearest = nearestName(
    id,
    routes.map((one) => one.id),
  );
  const hint = nearest === undefined ? '; gatehouse routes lists them' : `; did you mean "${nearest}"?`;
  throw new UsageError(`bench: there is no route ${JSON.stringify(id)}${hint}`);
}

function requestOf(command: BenchCommand, { match }: Route, body: string | undefined): LoadRequest {
  const given = command.headers.map((field): readonly [string, string] => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()];
  });
  const host = match.hosts[0]?.replace(/^\*\./, 'bench.') ?? 'localhost';
  const usual: (readonly [string, string])[] = [['host', host]];
  if (body !== undefined) usual.push(['content-type', 'application/json']);
  const headers = [...usual.filter(([name]) => !given.some(([its]) => its === name)), ...given];
  const method = command.method ?? match.methods[0] ?? (body === undefined ? 'GET' : 'POST');
  return { method, path: command.path ?? samplePath(match.path), headers, body };
}

/** A path that a pattern takes, unless its parameters ask for more. */
export function samplePath(pattern: string): string {
  return pattern.replaceAll(/\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}/g, '1').replace(/\*$/, '1');
}

async function explained(
  { method, path, headers, body }: LoadRequest,
  ask: (input: object) => Promise<Explanation>,
): Promise<Explanation> {
  try {
    const fields = headers.map(([name, value]) => `${name}: ${value}`);
    return await ask({ request: `${method} ${path}`, headers: fields, ...(body !== undefined && { body }) });
  } catch (error) {
    throw error instanceof ExplainFault ? new UsageError(`bench: ${error.message}`) : error;
  }
}

// As the first line of what would be sent says it; where that is not known, as it comes.
function sentPathOf({ requests }: Explanation, { path }: LoadRequest): string {
  const [, sent] = requests[0]?.sent?.line.split(' ') ?? [];
  return sent ?? path;
}
