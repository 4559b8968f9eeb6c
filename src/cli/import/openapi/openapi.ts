import { z } from 'zod';
import { Names, type Draft } from '../draft.ts';
import type { Source } from '../source.ts';
import { routesOf } from './operations.ts';
import { Schemes } from './security.ts';
import { Servers } from './servers.ts';

/** What only describes: `components` are looked at where something refers to them. */
const DESCRIPTION = [
  'info',
  'tags',
  'externalDocs',
  'components',
  'jsonSchemaDialect',
  '$schema',
  '$self',
] as const;

/**
 * Translates an OpenAPI description, 3.0 or 3.1.
 *
 * @param file as the gateway will read it, for the checks of its requests.
 */
export function importOpenapi(root: Source, file: string): Draft {
  const draft: Draft = { issuers: [], apiKeys: [], upstreams: {}, routes: [] };
  const version = root.get('openapi', z.string());
  if (version === undefined || !/^3\.[01]\.\d+/.test(version))
    root.notes.fault(['openapi'], 'expected `openapi` 3.0 or 3.1');
  root.skip(...DESCRIPTION);
  const context = {
    draft,
    servers: new Servers(root, draft, file),
    schemes: new Schemes(root, draft),
    names: new Names(/[^A-Za-z0-9._-]/g, 'operation'),
  };
  for (const [path, item] of root.entries('paths')) {
    if (path.startsWith('/')) draft.routes.push(...routesOf(path, item, context));
    else if (!path.startsWith('x-')) root.notes.fault(item.path, 'expected a path that starts with "/"');
    item.skip('summary', 'description', 'parameters');
  }
  return draft;
}
