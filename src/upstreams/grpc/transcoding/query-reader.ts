import type { DescField, DescMessage, JsonValue } from '@bufbuild/protobuf';
import { fieldsAt } from './field-path.ts';
import { expectationOf, textReader, type TextReader } from './field-text.ts';
import type { InputFault } from './input-faults.ts';
import { at, pointerOf, type JsonObject } from './json-place.ts';

/** Where the values of a query parameter go. */
interface QueryField {
  /** JSON names from the request message inwards. */
  readonly keys: readonly string[];
  readonly field: DescField;
  readonly read: TextReader;
}

/** How many names of one route are remembered: clients choose them. */
const MAX_REMEMBERED = 256;

/** Fills the fields of a request message with the parameters of a query. */
export class QueryReader {
  readonly #message: DescMessage;
  readonly #bound: readonly (readonly string[])[];
  readonly #ignoreUnknown: boolean;
  readonly #fields = new Map<string, QueryField | undefined>();

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
    for (const [name, text] of new URLSearchParams(query)) {
      const target = this.#fieldOf(name);
      if (target !== undefined) put(target, { name, text, json, faults });
      else if (!this.#ignoreUnknown) {
        faults.push({ pointer: '', parameter: name, message: 'is not known here' });
      }
    }
  }

  #fieldOf(name: string): QueryField | undefined {
    if (this.#fields.has(name)) return this.#fields.get(name);
    const found = this.#find(name);
    if (found !== undefined && this.#fields.size < MAX_REMEMBERED) this.#fields.set(name, found);
    return found;
  }

  #find(name: string): QueryField | undefined {
    let fields: readonly DescField[];
    try {
      fields = fieldsAt(this.#message, name.split('.'));
    } catch {
      return undefined;
    }
    const field = fields.at(-1) as DescField;
    const read = textReader(field);
    const keys = fields.map(({ jsonName }) => jsonName);
    const isBound = this.#bound.some((path) => path.every((key, index) => keys[index] === key));
    return read === undefined || isBound ? undefined : { keys, field, read };
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
  if (field.fieldKind === 'list') ((parent[key] ??= []) as JsonValue[]).push(value);
  else if (key in parent) fault('expected once');
  else parent[key] = value;
}
