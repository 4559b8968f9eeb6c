import type { Route } from '../routing/route.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import type { Failure } from './run-tests.ts';

/** Where the configuration says what has decided, such as `authorization  gateway.yaml:60:7`; undefined where no route has. */
export function ruleOf({ route, policy, problem }: Failure, source: GatewaySource): string | undefined {
  if (route === undefined) return undefined;
  const said = `route ${route.id}  ${placeOf(route, policy, source)}`;
  if (problem === undefined) return said;
  return `${problem} by ${policy ?? 'the gateway'}, ${said}`;
}

function placeOf(route: Route, policy: string | undefined, { value, document }: GatewaySource): string {
  const index = value.routes.findIndex((_, at) => originOf(document, at) === route.origin);
  if (policy === undefined) return route.origin;
  const paths = [
    ['routes', index, 'policies', policy],
    ['upstreams', route.upstream ?? '', 'policies', policy],
    ['defaults', 'policies', policy],
  ] as const;
  const levels: Readonly<Record<string, number>> = { route: 0, upstream: 1, defaults: 2 };
  const path = paths[levels[route.levels[policy] ?? ''] ?? -1];
  if (path === undefined || (path[0] === 'routes' && index < 0)) return route.origin;
  const { file = document.file, line, column } = document.locate(path);
  return `${file}:${line}:${column}`;
}

function originOf(document: GatewaySource['document'], index: number): string {
  const { file = document.file, line, column } = document.locate(['routes', index]);
  return `${file}:${line}:${column}`;
}
