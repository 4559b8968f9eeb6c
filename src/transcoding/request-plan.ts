import {
  toBinary,
  type DescField,
  type DescMessage,
  type JsonValue,
  type Registry,
} from '@bufbuild/protobuf';
import { Problem } from '../problems/problem.ts';
import { fieldNamed, fieldsAt, hasJsonOfItsOwn } from '../upstreams/grpc/field-path.ts';
import { expectationOf, textReader, type TextReader } from './field-text.ts';
import type { HttpRule } from './http-rule.ts';
import type { TemplateVariable } from './http-template.ts';
import type { InputFault } from '../upstreams/grpc/status-details.ts';
import { inputFaults } from './input-faults.ts';
import { pointerOf } from '../exchange/json-pointer.ts';
import { at, isJsonObject, type JsonObject } from './json-place.ts';
import { readJsonText, type JsonContent } from './json-text.ts';
import { QueryReader } from './query-reader.ts';
import { StrictJson } from './strict-json.ts';

/** What the parts of an HTTP request are read into. */
export interface RequestValues {
  /** Percent-encoded values of the path, in the order of the pattern. */
  readonly params: readonly string[];
  /** With its `?`, or empty. */
  readonly query: string;
}

/** A variable of the path, ready to be filled. */
interface PathField {
  readonly keys: readonly string[];
  /** Both spellings of each key, for what a body may already say. */
  readonly fields: readonly DescField[];
  readonly read: TextReader;
  readonly parts: TemplateVariable['parts'];
}

/** How requests are read. */
export interface RequestRules {
  readonly registry: Registry;
  readonly ignoreUnknownFields: boolean;
  /** Whether a query fills what a body of all fields leaves out. Default: it fills nothing then. */
  readonly queryFills?: boolean;
}

/** Makes request messages of HTTP requests, by one rule of one method. */
export class RequestPlan {
  readonly #message: DescMessage;
  readonly #body: DescField | '*' | undefined;
  readonly #path: readonly PathField[];
  readonly #query: QueryReader | undefined;
  readonly #reader: StrictJson;
  readonly #queryFills: boolean;

  /** @throws {Error} when the rule names a field that there is not, or that cannot stand in a path. */
  constructor(message: DescMessage, rule: HttpRule, options: RequestRules) {
    this.#message = message;
    this.#reader = new StrictJson(options);
    this.#queryFills = options.queryFills === true;
    this.#path = rule.template.variables.map((variable) => pathField(message, variable));
    this.#body = bodyField(message, rule.body);
    const bound = this.#path.map(({ keys }) => keys);
    if (this.#body !== undefined && this.#body !== '*') bound.push([this.#body.jsonName]);
    // With `body: "*"` the body fills every field, so that there is nothing that a query could fill.
    const nothingLeft = this.#body === '*' && !this.#queryFills ? [[]] : bound;
    this.#query = new QueryReader(message, nothingLeft, options.ignoreUnknownFields);
  }

  /** Whether the body is read at all. */
  get takesBody(): boolean {
    return this.#body !== undefined;
  }

  /** The message type that the body holds alone, when it does. */
  get bodyMessage(): DescMessage | undefined {
    return this.#body === '*' ? this.#message : this.#body?.message;
  }

  /**
   * Makes the request message, in its binary form.
   *
   * @param body JSON, or bytes of JSON; undefined without one.
   * @throws {Problem} `request-invalid` with `errors`, a pointer and a message each.
   */
  encode(parts: RequestValues, body: Uint8Array | JsonValue | undefined): Buffer {
    const faults: InputFault[] = [];
    const content = this.#content(body instanceof Uint8Array ? readJsonText(body) : free(body));
    const { json } = content;
    if (isJsonObject(json)) {
      if (this.#queryFills) this.#fillUp(json, parts.query, faults);
      else this.#query?.read(parts.query, json, faults);
      for (const field of this.#path) fill(field, parts.params, json, faults);
    }
    if (faults.length > 0) throw invalid(faults);
    return this.#toBinary(content);
  }

  // What the body says, in either spelling, stands; the query fills the rest.
  #fillUp(json: JsonObject, query: string, faults: InputFault[]): void {
    const filled: JsonObject = {};
    this.#query?.read(query, filled, faults);
    for (const key of Object.keys(json)) delete filled[fieldNamed(this.#message, key)?.jsonName ?? key];
    // Into the very object: what is known of its numbers hangs on it.
    Object.assign(json, filled);
  }

  #content(body: JsonContent | undefined): JsonContent {
    if (body === undefined || this.#body === undefined) return { json: {}, exact: undefined };
    if (this.#body === '*') return body;
    const [{ jsonName }, { json, exact }] = [this.#body, body];
    const whole = { [jsonName]: json };
    if (exact?.root !== undefined) {
      exact.note(whole, jsonName, exact.root);
      exact.root = undefined;
    }
    return { json: whole, exact };
  }

  #toBinary({ json, exact }: JsonContent): Buffer {
    try {
      const bytes = toBinary(this.#message, this.#reader.read(this.#message, json, exact));
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    } catch (error) {
      throw invalid(this.inDocument(inputFaults(this.#message, json, this.#reader)), error);
    }
  }

  /** Makes pointers into the message those into the document that was sent, which may be one field of it. */
  inDocument(faults: readonly InputFault[]): InputFault[] {
    const prefix = this.#body === undefined || this.#body === '*' ? undefined : `/${this.#body.jsonName}`;
    return faults.map((fault) => {
      const field = this.#path.find(({ keys }) => pointerOf(keys) === fault.pointer);
      if (field !== undefined) return { ...fault, parameter: field.fields.map(({ name }) => name).join('.') };
      const isInBody = fault.pointer === prefix || fault.pointer.startsWith(`${prefix}/`);
      return prefix !== undefined && isInBody
        ? { ...fault, pointer: fault.pointer.slice(prefix.length) }
        : fault;
    });
  }
}

function invalid(errors: readonly InputFault[], cause?: unknown): Problem {
  return new Problem('request-invalid', { cause, extensions: { errors } });
}

function free(json: JsonValue | undefined): JsonContent | undefined {
  return json === undefined ? undefined : { json, exact: undefined };
}

function bodyField(message: DescMessage, body: string): DescField | '*' | undefined {
  if (body === '' || body === '*') return body === '' ? undefined : '*';
  const field = fieldNamed(message, body);
  if (field === undefined) throw new Error(`body: ${message.typeName} has no field "${body}"`);
  return field;
}

function pathField(message: DescMessage, { field: path, parts }: TemplateVariable): PathField {
  if (hasJsonOfItsOwn(message)) throw new Error(`${message.typeName} has no fields that a path can fill`);
  const fields = fieldsAt(message, path);
  const last = fields.at(-1) as DescField;
  const read = last.fieldKind === 'list' ? undefined : textReader(last);
  if (read === undefined) {
    throw new Error(`{${path.join('.')}} can stand in a path only if it is one number, text or enum`);
  }
  return { keys: fields.map(({ jsonName }) => jsonName), fields, read, parts };
}

// The path has the last word: what a body says about the same field, in either spelling, is replaced.
function fill(target: PathField, params: readonly string[], json: JsonObject, faults: InputFault[]): void {
  const { keys, fields, read, parts } = target;
  const value = read(textOf(parts, params));
  if (value === undefined) {
    const [pointer, last] = [pointerOf(keys), fields.at(-1) as DescField];
    const parameter = fields.map(({ name }) => name).join('.');
    return void faults.push({ pointer, parameter, message: expectationOf(last) });
  }
  let object = json;
  fields.forEach(({ name, jsonName }, index) => {
    if (name !== jsonName && Object.hasOwn(object, name)) {
      if (!Object.hasOwn(object, jsonName)) object[jsonName] = object[name] as JsonValue;
      delete object[name];
    }
    if (index === fields.length - 1) return;
    // What is no object stays as it is, to be refused as a whole.
    const said = Object.hasOwn(object, jsonName) ? object[jsonName] : null;
    object = said === null || isJsonObject(said) ? at(object, [jsonName, '']) : {};
  });
  object[keys.at(-1) as string] = value;
}

function textOf(parts: TemplateVariable['parts'], params: readonly string[]): string {
  if (parts.length === 1 && typeof parts[0] === 'number') return decoded(params[parts[0]] ?? '');
  return parts
    .map((part) => (typeof part === 'string' ? part : decoded(params[part] ?? '')))
    .filter((piece) => piece !== '')
    .join('/');
}

function decoded(value: string): string {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch (error) {
    throw new Problem('request-malformed', { cause: error });
  }
}
