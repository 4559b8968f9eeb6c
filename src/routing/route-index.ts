import type { Route } from './route.ts';

/** Finds routes by what they are called, where nothing has to be matched. */
export class RouteIndex {
  readonly #byId = new Map<string, Route>();
  readonly #handlers = new Map<string, Route[]>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      // One handler may have several paths.
      if (!this.#byId.has(route.id)) this.#byId.set(route.id, route);
      if (route.door !== 'handler') continue;
      const others = this.#handlers.get(route.match.path);
      if (others === undefined) this.#handlers.set(route.match.path, [route]);
      else others.push(route);
    }
  }

  /** The route of that id. */
  byId(id: string): Route | undefined {
    return this.#byId.get(id);
  }

  /** The code-first routes that were declared with a path. */
  handlersAt(path: string): readonly Route[] {
    return this.#handlers.get(path) ?? [];
  }
}
