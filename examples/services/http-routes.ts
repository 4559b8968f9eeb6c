import type { IncomingMessage, ServerResponse } from 'node:http';

/** One request on its way through a handler. */
export interface HttpCall {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** What stands for `{…}` in the route's path, decoded; empty when there is no such part. */
  readonly parameter: string;
  /** Everything behind the `?`, undecoded. */
  readonly query: string;
}

/** A whole answer, ready to be written. */
export interface Reply {
  readonly status: number;
  /** Names and values in turn, which is what `writeHead` is quickest with. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** Answers with a reply, or with nothing when it writes the response itself. */
export type HttpHandler = (call: HttpCall) => Reply | Promise<Reply> | undefined;

/** One operation of an HTTP service. */
export interface HttpRoute {
  readonly method: string;
  /** A literal path, or one with a single `{name}` segment. */
  readonly path: string;
  readonly handle: HttpHandler;
}

/** An answer that a handler gives by throwing. */
export class HttpError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** A JSON reply; `headers` are further names and values in turn. */
export function json(status: number, value: unknown, headers: readonly string[] = []): Reply {
  return jsonText(status, JSON.stringify(value), headers);
}

/** A reply from text that is JSON already. */
export function jsonText(status: number, text: string, headers: readonly string[] = []): Reply {
  const body = Buffer.from(text);
  const own = ['Content-Type', 'application/json', 'Content-Length', String(body.length)];
  return { status, headers: [...own, ...headers], body };
}

/** A handler and the name that its requests are counted by. */
export interface Operation {
  /** Method and path as written in the route. */
  readonly name: string;
  readonly handle: HttpHandler;
}

/** What a look-up found. */
export interface RouteMatch {
  readonly operation: Operation | undefined;
  /** The undecoded parameter of the path. */
  readonly parameter: string;
  /** The methods that are possible when only the method was wrong; else empty. */
  readonly allow: string;
}

/** All routes of one path. */
class PathRoutes {
  readonly prefix: string;
  readonly suffix: string;
  readonly byMethod = new Map<string, Operation>();

  constructor(path: string) {
    const [prefix = '', suffix = ''] = path.split(/\{\w+\}/);
    this.prefix = prefix;
    this.suffix = suffix;
  }

  get allow(): string {
    return [...this.byMethod.keys()].join(', ');
  }

  /** What stands between prefix and suffix, undecoded; undefined when `path` is not of this shape. */
  parameterIn(path: string): string | undefined {
    const end = path.length - this.suffix.length;
    if (end <= this.prefix.length || !path.startsWith(this.prefix) || !path.endsWith(this.suffix))
      return undefined;
    const parameter = path.slice(this.prefix.length, end);
    return parameter.includes('/') ? undefined : parameter;
  }
}

/** Finds the operation for a path: literal paths in one look-up, the few with a parameter one by one. */
export class HttpRoutes {
  readonly #literal = new Map<string, PathRoutes>();
  readonly #parametric = new Map<string, PathRoutes>();

  constructor(routes: readonly HttpRoute[]) {
    for (const { method, path, handle } of routes) {
      const paths = path.includes('{') ? this.#parametric : this.#literal;
      let found = paths.get(path);
      if (found === undefined) paths.set(path, (found = new PathRoutes(path)));
      found.byMethod.set(method, { name: `${method} ${path}`, handle });
    }
  }

  /** The operation for a method and a path without query. */
  find(method: string, path: string): RouteMatch {
    const literal = this.#literal.get(path);
    if (literal !== undefined) return answer(literal, method, '');
    for (const routes of this.#parametric.values()) {
      const parameter = routes.parameterIn(path);
      if (parameter !== undefined) return answer(routes, method, parameter);
    }
    return { operation: undefined, parameter: '', allow: '' };
  }
}

function answer(routes: PathRoutes, method: string, parameter: string): RouteMatch {
  // HEAD is GET without the body, which node:http leaves out by itself.
  const operation = routes.byMethod.get(method === 'HEAD' ? 'GET' : method);
  return { operation, parameter, allow: operation === undefined ? routes.allow : '' };
}
