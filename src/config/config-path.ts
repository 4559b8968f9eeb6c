/** The way from the root of a document to a value: map keys and list indexes. */
export type ConfigPath = readonly (string | number)[];

const PLAIN_KEY = /^[A-Za-z_$][\w$-]*$/;

/**
 * Renders a path for people: `routes[users].match.headers["x.beta"]`. An item of a list goes by its `id` when it
 * has one, else by its index.
 */
export function renderPath(path: ConfigPath, root: unknown): string {
  let text = '';
  let value = root;
  for (const segment of path) {
    value = child(value, segment);
    if (typeof segment === 'number') text += `[${idOf(value) ?? segment}]`;
    else if (!PLAIN_KEY.test(segment)) text += `[${JSON.stringify(segment)}]`;
    else text += text === '' ? segment : `.${segment}`;
  }
  return text;
}

/** Names the route that a path leads into, when it has an id. */
export function routeIdAt(path: ConfigPath, root: unknown): string | undefined {
  const [room, index] = path;
  if (room !== 'routes' || typeof index !== 'number') return undefined;
  return idOf(child(child(root, room), index));
}

/** Looks a value up; undefined where there is none. */
export function valueAt(root: unknown, path: ConfigPath): unknown {
  return path.reduce<unknown>(child, root);
}

function child(value: unknown, segment: string | number): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, segment)) return undefined;
  return (value as Readonly<Record<string | number, unknown>>)[segment];
}

function idOf(value: unknown): string | undefined {
  const id = child(value, 'id');
  return typeof id === 'string' && id !== '' ? id : undefined;
}
