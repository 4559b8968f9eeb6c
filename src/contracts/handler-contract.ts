import type { Type } from '@nestjs/common';
import { HTTP_CODE_METADATA, PATH_METADATA, ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import type { ProblemCode } from '../problems/catalogue.ts';
import { ANSWER_METADATA, type DeclaredAnswer, type DescribedView } from './answers.decorator.ts';
import { callProblems, canCall, viewProtocols, type CallProtocol } from './call-problems.ts';
import type { ComponentStore } from './components.ts';
import type { Answer, JsonSchema, Parameter, RequestBody } from './openapi.ts';
import type { OperationContract } from './operation-contract.ts';
import { fieldRefs } from './problem-answers.ts';
import { toJsonSchema } from './standard-schema.ts';
import { viewParameters, viewRecordSchema, viewSchema } from './view-contract.ts';

/** A handler of the code-first door, by the class and the name of its method. */
export interface Handler {
  readonly controller: Type;
  readonly name: string;
  readonly method: object;
}

/** What Nest remembers of a decorated parameter. */
interface HandlerArgument {
  readonly kind: RouteParamtypes;
  /** The name that was asked for; undefined for all of them. */
  readonly name: string | undefined;
  readonly schema: unknown;
}

/** Finds the handlers of all controllers, by the origin that their routes carry: `OrdersController.list`. */
export function handlersByOrigin(controllers: readonly Type[]): ReadonlyMap<string, Handler> {
  const found = new Map<string, Handler>();
  for (const controller of controllers) {
    for (const [name, method] of methodsOf(controller)) {
      const origin = `${controller.name}.${name}`;
      if (!found.has(origin) && Reflect.hasMetadata(PATH_METADATA, method)) {
        found.set(origin, { controller, name, method });
      }
    }
  }
  return found;
}

/** All methods, the own ones before those that are inherited. */
function methodsOf(controller: Type): [name: string, method: object][] {
  const methods: [string, object][] = [];
  let at = controller.prototype as object;
  for (; at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (name !== 'constructor' && typeof value === 'function') methods.push([name, value as object]);
    }
  }
  return methods;
}

/** What calls can speak, where nobody says which upstreams there are. */
const ANY_PROTOCOL: ReadonlySet<CallProtocol> = new Set(['http', 'grpc']);

/**
 * Reads what the decorators of a handler say.
 *
 * @param protocols what is spoken to the upstreams of the gateway. Default: anything.
 */
export function handlerContract(
  handler: Handler,
  method: string,
  components: ComponentStore,
  protocols: ReadonlySet<CallProtocol> = ANY_PROTOCOL,
): OperationContract {
  const declared = (Reflect.getMetadata(ANSWER_METADATA, handler.method) ?? {}) as DeclaredAnswer;
  const args = argumentsOf(handler);
  const body = args.filter(({ kind }) => kind === RouteParamtypes.BODY);
  const parameters = args.flatMap((one) => parametersOf(one, components));
  const view = declared.view;
  return {
    summary: declared.summary,
    deprecated: declared.deprecated,
    parameters: view === undefined ? parameters : [...parameters, ...viewParameters(view)],
    requestBody: body.length === 0 ? undefined : bodyOf(body, components),
    answers: { [String(statusOf(handler, declared, method))]: answerOf(declared, components) },
    problems: [...problemsOf(args, declared), ...callProblems(spoken(handler, declared, protocols))],
  };
}

function argumentsOf({ controller, name }: Handler): readonly HandlerArgument[] {
  const metadata = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, name) ?? {}) as Record<
    string,
    { readonly data?: unknown; readonly schema?: unknown }
  >;
  return Object.entries(metadata)
    .map(([key, { data, schema }]) => ({
      kind: Number(key.split(':')[0]) as RouteParamtypes,
      name: typeof data === 'string' && data !== '' ? data : undefined,
      schema,
    }))
    .reverse();
}

const PLACES = new Map<RouteParamtypes, Parameter['in']>([
  [RouteParamtypes.QUERY, 'query'],
  [RouteParamtypes.PARAM, 'path'],
  [RouteParamtypes.HEADERS, 'header'],
]);
// OpenAPI has places of its own for these (OpenAPI 3.1.1 section 4.8.12.2.1).
const SPECIAL_FIELDS = new Set(['accept', 'content-type', 'authorization']);

function parametersOf({ kind, name, schema }: HandlerArgument, components: ComponentStore): Parameter[] {
  const place = PLACES.get(kind);
  if (place === undefined) return [];
  const json = toJsonSchema(schema, 'input', components);
  if (name !== undefined) {
    if (place === 'header' && SPECIAL_FIELDS.has(name.toLowerCase())) return [];
    const text: JsonSchema = schema === undefined ? { type: 'string' } : json;
    return [{ name, in: place, schema: text, ...(place === 'path' ? { required: true } : {}) }];
  }
  return Object.entries(json.properties ?? {}).map(([property, { description, ...one }]) => ({
    name: property,
    in: place,
    ...(place === 'path' || json.required?.includes(property) ? { required: true } : {}),
    ...(description === undefined ? {} : { description }),
    schema: one,
  }));
}

function bodyOf(args: readonly HandlerArgument[], components: ComponentStore): RequestBody {
  const whole = args.find(({ name }) => name === undefined);
  const schema =
    whole === undefined
      ? {
          type: 'object',
          properties: Object.fromEntries(
            args.map(({ name, schema }) => [name, toJsonSchema(schema, 'input', components)]),
          ),
        }
      : toJsonSchema(whole.schema, 'input', components);
  return { required: true, content: { 'application/json': { schema } } };
}

function statusOf({ method: handler }: Handler, declared: DeclaredAnswer, method: string): number {
  const code = Reflect.getMetadata(HTTP_CODE_METADATA, handler) as number | undefined;
  return declared.status ?? code ?? (method === 'POST' ? 201 : 200);
}

/** One record per section as it arrives, then one that the answer is done. */
function recordsOf(
  view: DescribedView,
  declared: DeclaredAnswer,
  components: ComponentStore,
): NonNullable<Answer['content']> {
  const schema = viewRecordSchema(view, declared, components);
  return { 'application/x-ndjson': { schema }, 'text/event-stream': { schema } };
}

function answerOf(declared: DeclaredAnswer, components: ComponentStore): Answer {
  const { view, schema, description } = declared;
  const headers = Object.entries(declared.headers ?? {}).map(([name, text]) => [
    name,
    { description: text, schema: { type: 'string' } },
  ]);
  const own = view === undefined ? {} : fieldRefs(['Cache-Control', 'Server-Timing']);
  const json =
    view === undefined ? toJsonSchema(schema, 'output', components) : viewSchema(view, declared, components);
  const records =
    view !== undefined && declared.streamed === true ? recordsOf(view, declared, components) : {};
  const isEmpty = view === undefined && schema === undefined && 'schema' in declared;
  return {
    description: description ?? (isEmpty ? 'Done.' : 'The answer.'),
    headers: { ...own, ...(Object.fromEntries(headers) as Answer['headers']) },
    ...(isEmpty
      ? {}
      : {
          content: { 'application/json': { schema: json }, ...records },
        }),
  };
}

/** What the calls speak whose problems the handler may end with. */
function spoken(
  { controller }: Handler,
  { calls, view }: DeclaredAnswer,
  known: ReadonlySet<CallProtocol>,
): ReadonlySet<CallProtocol> {
  if (calls !== undefined) return new Set(calls.map(({ description }) => description.protocol));
  if (view === undefined) return canCall(controller) ? known : new Set();
  // The problem of a required section is that of the answer, in whatever shape.
  const shapes = [view.view, ...view.kinds.values()];
  return new Set(shapes.flatMap((one) => [...viewProtocols(one, known)]));
}

function problemsOf(args: readonly HandlerArgument[], declared: DeclaredAnswer): ProblemCode[] {
  const codes = new Set<ProblemCode>(declared.problems ?? []);
  if (args.some(({ schema }) => schema !== undefined) || declared.view !== undefined)
    codes.add('request-invalid');
  if (args.some(({ kind }) => kind === RouteParamtypes.BODY)) {
    codes.add('body-too-large').add('media-type-unsupported').add('request-invalid');
  }
  return [...codes];
}
