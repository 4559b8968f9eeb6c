import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Id and first segment of a route that every generated table has. */
export const BUSY_ROUTE = 'r7';

/**
 * Writes a configuration of `bench/` with other routes: so many, each below a segment of its own, led to the users.
 *
 * @returns the path of the file.
 */
export function writeRoutes(folder: string, config: string, count: number): string {
  const [head = ''] = readFileSync(join(import.meta.dirname, config), 'utf8').split(/^routes:/m);
  const routes = Array.from({ length: count }, (_, index) => routeOf(`r${index}`));
  const file = join(folder, `${count}-routes-${config}`);
  writeFileSync(file, `${head}routes:\n${routes.join('')}`);
  return file;
}

function routeOf(id: string): string {
  return `  - id: ${id}
    match: { methods: [GET], path: /${id}/users/* }
    upstream: users
    rewrite: { stripPrefix: /${id} }
    policies: { authentication: public }
`;
}
