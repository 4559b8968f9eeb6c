import { z } from 'zod';
import { parsePathPattern } from '../../../routing/path-pattern.ts';
import type { Draft, Names, RouteDraft } from '../draft.ts';
import type { Source } from '../source.ts';
import type { Schemes } from './security.ts';
import type { Servers } from './servers.ts';

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const;
/** What describes an operation; parameters and bodies are looked at by `validation`. */
const DESCRIPTION = [
  'summary',
  'description',
  'tags',
  'externalDocs',
  'parameters',
  'requestBody',
  'responses',
] as const;

interface Context {
  readonly draft: Draft;
  readonly servers: Servers;
  readonly schemes: Schemes;
  readonly names: Names;
}

/** The routes of a path: one for each operation. */
export function routesOf(path: string, item: Source, context: Context): RouteDraft[] {
  if (item.has('$ref')) {
    item.note('left', 'a path that stands elsewhere; put it into the file');
    return [];
  }
  return METHODS.flatMap((method) => {
    const operation = item.at(method);
    if (method === 'head' && operation !== undefined && item.has('get')) {
      operation.note('differs', 'the route of GET takes HEAD, too, and says who may call');
      operation.settle();
      return [];
    }
    return operation === undefined ? [] : (routeOf({ path, method, operation, item }, context) ?? []);
  });
}

interface Operation {
  readonly path: string;
  readonly method: string;
  readonly operation: Source;
  readonly item: Source;
}

function routeOf({ path, method, operation, item }: Operation, context: Context): RouteDraft | undefined {
  const { servers, schemes, names } = context;
  const wanted = operation.get('operationId', z.string()) ?? `${method}${path.replaceAll(/[{}]/g, '')}`;
  operation.skip(...DESCRIPTION);
  if (operation.get('deprecated', z.boolean()) === true)
    operation.note(
      'left',
      'is deprecated; the policy `deprecation` can say so, and since when',
      'deprecated',
    );
  const { upstream, base, checks } = servers.of([operation, item]);
  const { pattern, isWhole } = patternOf(`${base}${path}`);
  const fault = patternFault(pattern);
  if (fault !== undefined) {
    operation.note('left', fault);
    return undefined;
  }
  if (!isWhole && checks)
    operation.note('left', 'not checked by the file: a parameter is a part of its segment');
  const admission = schemes.of(operation);
  const match = { methods: [method.toUpperCase()], path: pattern };
  const id = names.take(wanted);
  if ('closed' in admission) return { id, match, closed: admission.closed, rest: {} };
  const unchecked = !isWhole && checks ? { validation: 'off' } : {};
  return { id, match, rest: { upstream, policies: { ...admission.policies, ...unchecked } } };
}

/** Parameters of whole segments are ours as well; what is a part of one becomes an expression. */
function patternOf(path: string): { pattern: string; isWhole: boolean } {
  let isWhole = true;
  const taken = new Set<string>();
  const nameOf = (text: string): string => {
    let name = text.replaceAll(/\W/g, '_').replace(/^(?=\d)/, '_');
    while (taken.has(name)) name += '_';
    taken.add(name);
    return name;
  };
  const segments = path.split('/').map((segment) => {
    const [, whole] = /^\{([^{}]+)\}$/.exec(segment) ?? [];
    if (whole !== undefined) return `{${nameOf(whole)}}`;
    if (!/\{[^{}]+\}/.test(segment)) return segment;
    isWhole = false;
    const texts = segment
      .split(/\{[^{}]+\}/)
      .map((text) => text.replaceAll(/[\\^$.|?*+()[\]{}]/g, String.raw`\$&`));
    return `{${nameOf(segment.replaceAll(/[{}]/g, ''))}:${texts.join('.+')}}`;
  });
  return { pattern: segments.join('/'), isWhole };
}

function patternFault(pattern: string): string | undefined {
  try {
    return void parsePathPattern(pattern);
  } catch (error) {
    return (error as Error).message;
  }
}
