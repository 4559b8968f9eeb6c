import { describe, expect, it } from '@jest/globals';
import { compileRoutes } from '../../test/support/routes.ts';
import { readConfig } from '../config/config-reader.ts';
import { gatewaySchema } from '../pipeline/actions.ts';
import { ambiguities } from './ambiguous-routes.ts';
import { RouteTable } from './route-table.ts';

const NO_FILE = readConfig(gatewaySchema, 'version: 1', 'gateway.yaml');

/** Routes of one path, each for another prefix of a field, and one more for what the last of them takes, too. */
function prefixed(count: number) {
  const routes = Array.from({ length: count }, (_, index) => ({
    id: `r${index}`,
    path: '/a',
    headers: { tenant: { prefix: `t${index}-` } },
  }));
  const last = { id: 'last', path: '/a', headers: { tenant: { prefix: `t${count - 1}-x` } } };
  return new RouteTable(compileRoutes([...routes, last]));
}

describe('what only the order decides', () => {
  it('is found among all routes of a path, however many come between', () => {
    const said = ambiguities(prefixed(600), NO_FILE);
    expect(said.map(({ message }) => message)).toEqual([expect.stringContaining('the route "r599"')]);
  });

  it('is looked for among fewer once it costs too much, and the report says so', () => {
    const said = ambiguities(prefixed(600), NO_FILE, 1000);
    expect(said).toEqual([
      expect.objectContaining({
        message: expect.stringContaining('too many routes have this host and path'),
      }),
    ]);
    // All but the first 201 were compared with 200 of those before them.
    expect(said[0]?.message).toContain('from here on 400 ');
  });
});
