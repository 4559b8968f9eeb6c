import { jsonOf, listOf, textOf, wordsOf, type Json } from '../resource.ts';
import { unsupported } from './faults.ts';
import { literalText } from './literal-text.ts';

/** What the filters of a rule come to, in keys of a route of the file. */
export interface FilterParts {
  readonly transform: Json | undefined;
  readonly cors: Json | undefined;
  readonly redirect: Json | undefined;
  readonly rewrite: Json | undefined;
  readonly host: string | undefined;
  /** The reference, and which share of requests it gets. */
  readonly mirror: { readonly ref: Json; readonly share: string; readonly field: string } | undefined;
}

type Draft = { -readonly [Key in keyof FilterParts]: FilterParts[Key] };

/** Reads the filters of a rule. @throws {ObjectFault} for what cannot be said. */
export function filtersOf(filters: readonly Json[], field: string): FilterParts {
  const draft: Draft = {
    transform: undefined,
    cors: undefined,
    redirect: undefined,
    rewrite: undefined,
    host: undefined,
    mirror: undefined,
  };
  const seen = new Set<string>();
  filters.forEach((filter, index) => {
    const place = `${field}[${index}]`;
    const type = textOf(filter['type']);
    if (seen.has(type)) throw unsupported(place, `a second ${type} is not supported`);
    seen.add(type);
    read(type, filter, place, draft);
  });
  if (draft.redirect !== undefined && (draft.rewrite !== undefined || draft.host !== undefined))
    throw unsupported(field, 'RequestRedirect and URLRewrite together are not supported');
  return draft;
}

function read(type: string, filter: Json, place: string, draft: Draft): void {
  switch (type) {
    case 'RequestHeaderModifier':
      draft.transform = { ...draft.transform, request: headerEdits(jsonOf(filter['requestHeaderModifier'])) };
      return;
    case 'ResponseHeaderModifier':
      draft.transform = {
        ...draft.transform,
        response: headerEdits(jsonOf(filter['responseHeaderModifier'])),
      };
      return;
    case 'RequestRedirect':
      draft.redirect = redirectOf(jsonOf(filter['requestRedirect']));
      return;
    case 'URLRewrite': {
      const { hostname, path } = jsonOf(filter['urlRewrite']);
      draft.host = textOf(hostname) || undefined;
      draft.rewrite = pathEdit(jsonOf(path));
      return;
    }
    case 'RequestMirror':
      draft.mirror = mirrorOf(jsonOf(filter['requestMirror']), `${place}.requestMirror`);
      return;
    case 'CORS':
      draft.cors = corsOf(jsonOf(filter['cors']), `${place}.cors`);
      return;
    case 'ExtensionRef':
      throw unsupported(
        `${place}.extensionRef`,
        'is not supported: a GatehousePolicy names its targets itself',
      );
    default:
      throw unsupported(`${place}.type`, `${type} is not supported`);
  }
}

function headerEdits({ set, add, remove }: Json): Json {
  const pairs = (list: unknown): Json =>
    Object.fromEntries(listOf(list).map(({ name, value }) => [textOf(name), literalText(textOf(value))]));
  return {
    ...(listOf(set).length > 0 && { setHeaders: pairs(set) }),
    ...(listOf(add).length > 0 && { addHeaders: pairs(add) }),
    ...(wordsOf(remove).length > 0 && { removeHeaders: wordsOf(remove) }),
  };
}

function redirectOf({ scheme, hostname, port, path, statusCode = 302 }: Json): Json {
  const edit = pathEdit(jsonOf(path));
  return {
    ...(scheme !== undefined && { scheme }),
    ...(hostname !== undefined && { host: hostname }),
    ...(port !== undefined && { port }),
    ...edit,
    status: statusCode,
  };
}

function pathEdit({ type, replaceFullPath, replacePrefixMatch }: Json): Json | undefined {
  if (type === 'ReplaceFullPath') return { path: literalText(textOf(replaceFullPath)) };
  if (type === 'ReplacePrefixMatch') return { replacePrefix: literalText(textOf(replacePrefixMatch)) };
  return undefined;
}

function mirrorOf({ backendRef, percent, fraction }: Json, field: string): FilterParts['mirror'] {
  const { numerator, denominator = 100 } = jsonOf(fraction);
  const share =
    fraction === undefined ? Number(percent ?? 100) : (Number(numerator) / Number(denominator)) * 100;
  return { ref: jsonOf(backendRef), share: `${Number(share.toFixed(6))}%`, field: `${field}.backendRef` };
}

function corsOf(cors: Json, field: string): Json {
  const words = (key: string): readonly string[] => wordsOf(cors[key]);
  const origins = words('allowOrigins');
  const [methods, headers, exposed] = [words('allowMethods'), words('allowHeaders'), words('exposeHeaders')];
  if (exposed.includes('*')) throw unsupported(`${field}.exposeHeaders`, '* is not supported');
  if (origins.length === 0) throw unsupported(`${field}.allowOrigins`, 'expected an origin');
  return {
    origins: origins.includes('*') ? '*' : origins,
    ...(cors['allowCredentials'] === true && { credentials: true }),
    ...(methods.length > 0 && !methods.includes('*') && { methods }),
    ...(headers.length > 0 && !headers.includes('*') && { headers }),
    ...(exposed.length > 0 && { exposedHeaders: exposed }),
    maxAge: `${Number(cors['maxAge'] ?? 5)}s`,
  };
}
