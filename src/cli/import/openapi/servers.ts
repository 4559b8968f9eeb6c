import { z } from 'zod';
import { urlFault } from '../../../config/url.ts';
import { OpenapiOperations } from '../../../policies/validation/openapi-operations.ts';
import { Names, Variable, type Draft } from '../draft.ts';
import type { Source } from '../source.ts';

const serverList = z.array(
  z.looseObject({
    url: z.string(),
    variables: z.record(z.string(), z.looseObject({ default: z.string() })).optional(),
  }),
);

/** Where an operation is served. */
export interface Server {
  readonly upstream: string;
  /** What paths of clients and of the service have before those of the file. */
  readonly base: string;
  /** Whether requests are checked by the file. */
  readonly checks: boolean;
}

/** The servers of an OpenAPI description as upstreams; each checks its requests by the file. */
export class Servers {
  readonly #names = new Names(/[^A-Za-z0-9_-]/g, 'api');
  readonly #known = new Map<string, Server>();
  readonly #root: Source;
  readonly #draft: Draft;
  readonly #file: string;

  constructor(root: Source, draft: Draft, file: string) {
    this.#root = root;
    this.#draft = draft;
    this.#file = file;
  }

  /** Of the narrowest of the places that says something: operation, path, file. */
  of(places: readonly Source[]): Server {
    for (const place of [...places, this.#root]) {
      const listed = place.get('servers', serverList);
      const [first] = listed ?? [];
      if (first === undefined) continue;
      if ((listed?.length ?? 0) > 1)
        place.note('left', 'the first server is used; name copies of it under `targets`', 'servers');
      return this.#server(withVariables(first, place), place);
    }
    return this.#server('/', this.#root);
  }

  #server(url: string, place: Source): Server {
    const parsed = /^[a-z]+:\/\//i.test(url) ? URL.parse(url) : undefined;
    const origin = parsed === undefined || parsed === null ? '' : parsed.origin;
    const base = (parsed?.pathname ?? (parsed === null ? '' : url)).replace(/\/+$/, '');
    const known = this.#known.get(`${origin} ${base}`);
    if (known !== undefined) return known;
    const isTarget =
      urlFault(origin, { schemes: ['http', 'https'], example: '', rest: 'nothing' }) === undefined;
    if (!isTarget)
      place.note(
        'todo',
        'set API_UPSTREAM to the service, such as http://127.0.0.1:8001: the file does not say where it is',
        'servers',
      );
    const fault = faultOf(this.#file, base);
    if (fault !== undefined) place.note('left', `requests are not checked by the file: ${fault}`, 'paths');
    const upstream = this.#names.take('api');
    const openapi = { file: this.#file, ...(base === '' ? {} : { prefix: base }) };
    this.#draft.upstreams[upstream] = {
      targets: [isTarget ? origin : new Variable('API_UPSTREAM', 'http://upstream.invalid')],
      ...(fault === undefined ? { policies: { validation: { openapi } } } : {}),
    };
    const server = {
      upstream,
      base: base === '' || base.startsWith('/') ? base : `/${base}`,
      checks: fault === undefined,
    };
    this.#known.set(`${origin} ${base}`, server);
    return server;
  }
}

function withVariables({ url, variables = {} }: z.output<typeof serverList>[number], place: Source): string {
  if (Object.keys(variables).length > 0)
    place.note('differs', 'variables of the server have their defaults', 'servers');
  if ([...url.matchAll(/\{([^{}]+)\}/g)].some(([, name = '']) => variables[name] === undefined))
    place.notes.fault([...place.path, 'servers'], 'expected a default for each variable of the URL');
  if (/^[a-z]+:\/\/[^/]*@/i.test(url)) place.note('left', 'targets have no credentials', 'servers');
  return url.replaceAll(/\{([^{}]+)\}/g, (text, name: string) => variables[name]?.default ?? text);
}

function faultOf(file: string, prefix: string): string | undefined {
  try {
    return void new OpenapiOperations(file, prefix);
  } catch (error) {
    return (error as Error).message;
  }
}
