import type { DescField, DescMessage } from '@bufbuild/protobuf';
import type { ComponentStore } from '../contracts/components.ts';
import type { Answer, JsonSchema, MediaType, Parameter, RequestBody } from '../contracts/openapi.ts';
import type { OperationContract } from '../contracts/operation-contract.ts';
import type { ProblemCode } from '../problems/catalogue.ts';
import type { Binding } from './binding.ts';
import { UPSTREAM_PROBLEMS } from '../upstreams/upstream-problems.ts';
import { fieldSchema, messageSchema } from './message-schema.ts';

const NDJSON = 'application/x-ndjson';
const JSON_TYPE = 'application/json';
const HTTP_BODY = 'google.api.HttpBody';

/** What a service may answer, as the faults of translated calls tell it. */
const GRPC_PROBLEMS: readonly ProblemCode[] = [
  ...UPSTREAM_PROBLEMS,
  'request-invalid',
  'permission-denied',
  'resource-not-found',
  'conflict',
  'upstream-exhausted',
  'upstream-rejected',
  'not-implemented',
];

/**
 * The contract of a translated route, in canonical proto3 JSON.
 *
 * @param names of the path parameters, as the document spells them.
 */
export function transcodedContract(
  binding: Binding,
  names: readonly string[],
  components: ComponentStore,
): OperationContract {
  const { method, rule, plan } = binding;
  const bound = rule.template.variables.map(({ field }) => field.join('.'));
  const inPath = names.map((name, index) => pathParameter(binding, name, index, components));
  const inQuery = rule.body === '*' ? [] : queryParameters(method.input, [...bound, rule.body], components);
  return {
    summary: method.name,
    description: `Translated to \`${method.parent.typeName}/${method.name}\`.`,
    deprecated: method.deprecated,
    parameters: [...inPath, ...inQuery],
    requestBody: plan.takesBody ? bodyOf(binding, components) : undefined,
    answers: answersOf(binding, components),
    problems: plan.takesBody ? [...GRPC_PROBLEMS, 'media-type-unsupported', 'body-too-large'] : GRPC_PROBLEMS,
  };
}

function pathParameter(
  { method, rule }: Binding,
  name: string,
  index: number,
  components: ComponentStore,
): Parameter {
  const filled = rule.template.variables.find(({ parts }) => parts.includes(index));
  const isWhole = filled?.parts.length === 1;
  const field = isWhole ? fieldAt(method.input, filled.field) : undefined;
  const schema: JsonSchema = field === undefined ? { type: 'string' } : fieldSchema(field, components);
  return { name, in: 'path', required: true, schema };
}

function fieldAt(message: DescMessage, path: readonly string[]): DescField | undefined {
  const [name, ...rest] = path;
  const field = message.fields.find((one) => one.name === name || one.jsonName === name);
  if (rest.length === 0) return field;
  return field?.fieldKind === 'message' ? fieldAt(field.message, rest) : undefined;
}

interface Place {
  /** Names of the proto, for the fields that path and body fill. */
  readonly path: string;
  /** Names of JSON. */
  readonly name: string;
  /** The messages around it: one that holds itself could go on forever. */
  readonly within: readonly DescMessage[];
}

function queryParameters(
  message: DescMessage,
  bound: readonly string[],
  components: ComponentStore,
  place: Place = { path: '', name: '', within: [] },
): Parameter[] {
  const within = [...place.within, message];
  return message.fields.flatMap((field) => {
    const path = place.path + field.name;
    if (bound.includes(path)) return [];
    const name = place.name + field.jsonName;
    const schema = fieldSchema(field, components);
    if (field.fieldKind === 'message' && isObject(field.message)) {
      if (within.includes(field.message)) return [];
      return queryParameters(field.message, bound, components, {
        path: `${path}.`,
        name: `${name}.`,
        within,
      });
    }
    // A query has no notation for a list of messages, nor for a map.
    if (field.fieldKind === 'map' || (field.fieldKind === 'list' && field.listKind === 'message')) return [];
    return [{ name, in: 'query', schema }];
  });
}

/** Types of google.protobuf have a text of their own, which a query can hold. */
function isObject({ typeName }: DescMessage): boolean {
  return !typeName.startsWith('google.protobuf.');
}

function bodyOf(binding: Binding, components: ComponentStore): RequestBody {
  const { method, rule } = binding;
  const field = rule.body === '*' ? undefined : fieldAt(method.input, [rule.body]);
  const schema =
    field === undefined ? messageSchema(method.input, components) : fieldSchema(field, components);
  if (method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming') {
    return { required: true, description: 'One message per line.', content: { [NDJSON]: { schema } } };
  }
  if (isRaw(field?.message ?? method.input)) return { required: true, content: { '*/*': {} } };
  return { required: true, content: { [JSON_TYPE]: { schema } } };
}

function answersOf({ method, answer }: Binding, components: ComponentStore): Record<string, Answer> {
  const { answers } = answer;
  const schema =
    answers.kind === 'field' ? fieldSchema(answers, components) : messageSchema(answers, components);
  if (answer.isRaw) return { '200': { description: 'A body of any media type.', content: { '*/*': {} } } };
  const isStream = method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming';
  const content: Record<string, MediaType> = isStream
    ? {
        [JSON_TYPE]: { schema: { type: 'array', items: schema } },
        [NDJSON]: { schema },
        // Of the data of each event.
        'text/event-stream': { schema },
      }
    : { [JSON_TYPE]: { schema } };
  const description = isStream ? 'The messages, in the format that `Accept` prefers.' : 'The answer.';
  const said: Answer = { description, content };
  if (method.methodKind !== 'bidi_streaming') return { '200': said };
  return { '101': { description: 'A WebSocket: one message per frame, in JSON.' }, '200': said };
}

function isRaw(message: DescMessage): boolean {
  return message.typeName === HTTP_BODY;
}
