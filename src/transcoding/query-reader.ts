import type { DescField, DescMessage, JsonValue } from '@bufbuild/protobuf';
import { fieldsAt } from '../upstreams/grpc/field-path.ts';
import { expectationOf, textReader, type TextReader } from './field-text.ts';
import type { InputFault } from '../upstreams/grpc/status-details.ts';
import { pointerOf } from '../exchange/json-pointer.ts';
import { at, type JsonObject } from './json-place.ts';

/** Where the values of a query parameter go. */
interface QueryField {
  /** JSON names from the request message inwards. */
  readonly keys: readonly string[];
  readonly field: DescField;
  readonly read: TextReader;
}

/** A parameter that fills nothing, and why. */
interface Misfit {
  readonly pointer: string;
  readonly message: string;
}

const UNKNOWN: Misfit = { pointer: '', message: 'is not known here' };

/** How many names of one route are remembered: clients choose them. */
const MAX_REMEMBERED = 256;

/** Fills the fields of a request message with the parameters of a query. */
export class QueryReader {
  readonly #message: DescMessage;
  readonly #bound: readonly (readonly string[])[];
  readonly #ignoreUnknown: boolean;
  readonly #fields = new Map<string, QueryField>();

  /**
   * @param bound JSON names of the fields that path and body fill: a query cannot fill those, nor their insides.
   * @param ignoreUnknown passes over parameters that fill nothing; otherwise they are faults.
   */
  constructor(message: DescMessage, bound: readonly (readonly string[])[], ignoreUnknown: boolean) {
    this.#message = message;
    this.#bound = bound;
    this.#ignoreUnknown = ignoreUnknown;
  }

  /** Reads a query, with its `?`, into the JSON of the request message; what is wrong is added to the faults. */
  read(query: string, json: JsonObject, faults: InputFault[]): void {
    if (query.length < 2) return;
    if (query.includes('%') && !isUtf8(query)) {
      return void faults.push({ pointer: '', message: 'expected a query in UTF-8, percent-encoded' });
    }
    for (const [name, text] of new URLSearchParams(query)) {
      const target = this.#fieldOf(name);
      if ('keys' in target) put(target, { name, text, json, faults });
      else if (!this.#ignoreUnknown) faults.push({ ...target, parameter: name });
    }
  }

  #fieldOf(name: string): QueryField | Misfit {
    const known = this.#fields.get(name);
    if (known !== undefined) return known;
    const found = this.#find(name);
    if ('keys' in found && this.#fields.size < MAX_REMEMBERED) this.#fields.set(name, found);
    return found;
  }

  #find(name: string): QueryField | Misfit {
    let fields: readonly DescField[];
    try {
      fields = fieldsAt(this.#message, name.split('.'));
    } catch {
      return UNKNOWN;
    }
    const field = fields.at(-1) as DescField;
    const read = textReader(field);
    const keys = fields.map(({ jsonName }) => jsonName);
    const pointer = pointerOf(keys);
    const isBound = this.#bound.some((path) => path.every((key, index) => keys[index] === key));
    if (isBound) return { pointer, message: 'is said by the path or the body' };
    if (read === undefined) return { pointer, message: 'cannot be said in a query' };
    return { keys, field, read };
  }
}

interface Given {
  readonly name: string;
  readonly text: string;
  readonly json: JsonObject;
  readonly faults: InputFault[];
}

function put({ keys, field, read }: QueryField, { name, text, json, faults }: Given): void {
  const fault = (message: string): void =>
    void faults.push({ pointer: pointerOf(keys), parameter: name, message });
  const value: JsonValue | undefined = read(text);
  if (value === undefined) return fault(expectationOf(field));
  const parent = at(json, keys);
  const key = keys.at(-1) as string;
  const isThere = Object.hasOwn(parent, key);
  if (field.fieldKind === 'list') {
    if (isThere) (parent[key] as JsonValue[]).push(value);
    else parent[key] = [value];
  } else if (isThere) fault('expected once');
  else parent[key] = value;
}

function isUtf8(query: string): boolean {
  try {
    decodeURIComponent(query);
    return true;
  } catch {
    return false;
  }
}
