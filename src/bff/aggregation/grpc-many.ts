import {
  create,
  fromJson,
  ScalarType,
  toJson,
  type DescField,
  type DescMessage,
  type DescMethodUnary,
  type JsonObject,
  type Message,
} from '@bufbuild/protobuf';
import type { GrpcBatchOptions } from '../../calls/grpc-batch.ts';
import { canonicalJson } from '../../calls/reuse/call-key.ts';
import { TemplateError, type TemplateFaults } from '../../templates/template-fault.ts';
import type { BatchKeys } from './aggregate.schema.ts';

type Fields = Record<string, unknown>;

/** The ids operation of a call over gRPC, compiled. */
export interface GrpcMany extends GrpcBatchOptions<Fields, Message, DescMessage, DescMessage> {
  /** The field of the message of the call that is the id. */
  readonly by: string;
}

/** What such an operation is compiled with. */
export interface GrpcManyDeps {
  /** The method of the call. */
  readonly single: DescMethodUnary;
  /** The method that reads many. */
  readonly method: DescMethodUnary;
  /** Names of the fields of the call's `input`. */
  readonly given: readonly string[];
  readonly path: readonly string[];
  readonly faults: TemplateFaults;
}

/** Compiles the `batch` of a call over gRPC; undefined, with faults, when the messages do not go together. */
export function compileGrpcMany(keys: BatchKeys, deps: GrpcManyDeps): GrpcMany | undefined {
  const { single, method, given, path, faults } = deps;
  const attempt = (key: string, find: () => DescField): DescField | undefined =>
    faults.attempt([...path, key], find);
  const id = attempt('by', () => idField(single, keys.by, given));
  const ids = attempt('ids', () => {
    const found = repeated(field(method.input, keys.ids, 'ids'), 'scalar');
    return id === undefined ? found : takingAll(found, id);
  });
  const items = attempt('items', () => repeated(field(method.output, keys.items, 'items'), 'message'));
  const key =
    items?.message && attempt('key', () => scalar(field(items.message as DescMessage, keys.key, 'key')));
  const wrap = items && faults.attempt([...path, 'as'], () => wrapper(single.output, items, keys.as));
  // What else the call is sent, the request for many is sent as well.
  const rest = id === undefined ? [] : given.filter((name) => name !== id.jsonName && name !== id.name);
  for (const name of rest) faults.attempt([...path, 'grpc'], () => field(method.input, name, 'grpc'));
  if (!id || !ids || !items || !key || !wrap) return undefined;
  const idOf = (input: Fields): string => String(input[id.localName]);
  const restOf = (input: Fields): JsonObject => {
    const { [id.jsonName]: _id, ...others } = toJson(single.input, create(single.input, input)) as JsonObject;
    return others;
  };
  return {
    method,
    max: keys.max,
    id: idOf,
    by: id.name,
    group: single.input.fields.length === 1 ? () => '' : (input) => canonicalJson(restOf(input)),
    request: (all, first) => fromJson(method.input, { ...restOf(first), [ids.jsonName]: [...all] }),
    entries: (answer) =>
      ((answer as unknown as Fields)[items.localName] as readonly Message[]).map((element) => [
        String((element as unknown as Fields)[key.localName]),
        wrap(element),
      ]),
  };
}

function idField({ input }: DescMethodUnary, by: string | undefined, given: readonly string[]): DescField {
  const name = by ?? given[0];
  if (name === undefined || (by === undefined && given.length > 1))
    throw new TemplateError('expected the field of `input` that is the id, as there is not exactly one');
  if (!given.includes(name))
    throw new TemplateError(`expected a field that \`input\` has, got "${name}"`, {
      given: name,
      known: given,
    });
  return scalar(field(input, name, 'by'));
}

function field(message: DescMessage, name: string | undefined, key: string): DescField {
  if (name === undefined) throw new TemplateError(`expected a field of ${message.typeName} as \`${key}\``);
  const found = message.fields.find((one) => one.jsonName === name || one.name === name);
  if (found !== undefined) return found;
  const known = message.fields.map(({ jsonName }) => jsonName);
  throw new TemplateError(`${message.typeName} has no field "${name}"`, { given: name, known });
}

function scalar(found: DescField): DescField {
  if (found.fieldKind === 'scalar' && found.scalar !== ScalarType.BYTES) return found;
  throw new TemplateError(`expected a field with one text or number; ${found.name} is none`);
}

function repeated(found: DescField, of: 'scalar' | 'message'): DescField {
  if (found.fieldKind === 'list' && found.listKind === of) return found;
  const what = of === 'scalar' ? 'texts or numbers' : 'messages';
  throw new TemplateError(`expected a list of ${what}; ${found.name} is none`);
}

// What a client may name as one id has to be possible as one of many: else it would be a fault that nobody has made.
function takingAll(ids: DescField, id: DescField): DescField {
  if (ids.scalar === ScalarType.STRING || valuesOf(ids) === valuesOf(id)) return ids;
  throw new TemplateError(`expected a list that takes every value of ${id.name}; ${ids.name} does not`);
}

/** Types that hold the same numbers, and differ only on the wire. */
const ENCODINGS: ReadonlyMap<ScalarType, ScalarType> = new Map([
  [ScalarType.SINT32, ScalarType.INT32],
  [ScalarType.SFIXED32, ScalarType.INT32],
  [ScalarType.FIXED32, ScalarType.UINT32],
  [ScalarType.SINT64, ScalarType.INT64],
  [ScalarType.SFIXED64, ScalarType.INT64],
  [ScalarType.FIXED64, ScalarType.UINT64],
]);

function valuesOf({ scalar: type }: DescField): ScalarType | undefined {
  return type === undefined ? undefined : (ENCODINGS.get(type) ?? type);
}

// So that nobody who uses the answer sees how it was read.
function wrapper(
  output: DescMessage,
  { message }: DescField,
  as: string | undefined,
): (element: Message) => Message {
  if (as === undefined) {
    if (message?.typeName === output.typeName) return (element) => element;
    throw new TemplateError(
      `expected the field of ${output.typeName} that is a ${message?.typeName}, which is what \`items\` has`,
    );
  }
  const inner = field(output, as, 'as');
  if (inner.fieldKind !== 'message' || inner.message.typeName !== message?.typeName)
    throw new TemplateError(`expected a field that is a ${message?.typeName}; ${inner.name} is none`);
  return (element) => create(output, { [inner.localName]: element });
}
