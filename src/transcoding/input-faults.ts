import type { DescField, DescMessage, DescOneof, JsonValue } from '@bufbuild/protobuf';
import { fieldNamed, hasJsonOfItsOwn } from '../upstreams/grpc/field-path.ts';
import { expectationOf, keyExpectation, messageExpectation } from './field-text.ts';
import { pointerPart } from '../exchange/json-pointer.ts';
import { isJsonObject, type JsonObject } from './json-place.ts';
import { anyType } from './json-walk.ts';
import { isMapKey } from './map-key.ts';
import type { StrictJson } from './strict-json.ts';
import type { InputFault } from '../upstreams/grpc/status-details.ts';

/** Deeper faults are named by the value around them, so that looking for them costs little. */
const MAX_DEPTH = 8;
const MAX_FAULTS = 20;
const ANY = 'google.protobuf.Any';

/**
 * Says where a JSON value, which does not fit a message as a whole, does not fit it. Only asked after reading has
 * failed: the same reader judges every part, so that the two cannot differ.
 */
export function inputFaults(message: DescMessage, json: JsonValue, reader: StrictJson): InputFault[] {
  const search = new FaultSearch(reader);
  search.message({ message, json, pointer: '', depth: 0 });
  return search.faults.slice(0, MAX_FAULTS);
}

interface Place {
  readonly message: DescMessage;
  readonly json: JsonValue;
  readonly pointer: string;
  readonly depth: number;
}

class FaultSearch {
  readonly faults: InputFault[] = [];
  readonly #reader: StrictJson;

  constructor(reader: StrictJson) {
    this.#reader = reader;
  }

  /** Looks into a value that does not fit its message, and finds at least one reason. */
  message(place: Place): void {
    const { message, json, pointer, depth } = place;
    if (message.typeName === ANY && depth <= MAX_DEPTH) return this.#any(place);
    if (depth > MAX_DEPTH || hasJsonOfItsOwn(message) || !isJsonObject(json)) {
      return this.#add(pointer, messageExpectation(message));
    }
    const before = this.faults.length;
    for (const [key, value] of Object.entries(json)) {
      const at = `${pointer}/${pointerPart(key)}`;
      const field = fieldNamed(message, key);
      if (field !== undefined) this.#field({ ...place, json: value, pointer: at }, field);
      else if (!this.#reader.ignoresUnknownFields) this.#add(at, 'is not known here');
    }
    // What fits piece by piece and not as a whole says one thing twice.
    if (this.faults.length === before) this.#twice(place, json);
  }

  #any(place: Place): void {
    const { json, pointer } = place;
    const packed = anyType(json, this.#reader.registry);
    if (packed === undefined || !isJsonObject(json))
      return this.#add(pointer, messageExpectation(place.message));
    const inside = { ...place, message: packed, depth: place.depth + 1 };
    if (hasJsonOfItsOwn(packed)) {
      return this.message({ ...inside, json: json['value'] ?? null, pointer: `${pointer}/value` });
    }
    const { '@type': _, ...fields } = json;
    this.message({ ...inside, json: fields });
  }

  #twice({ message, pointer }: Place, json: JsonObject): void {
    const said = new Set<DescField | DescOneof>();
    const before = this.faults.length;
    for (const [key, value] of Object.entries(json)) {
      const field = fieldNamed(message, key);
      if (field === undefined) continue;
      const at = `${pointer}/${pointerPart(key)}`;
      if (said.has(field)) this.#add(at, 'expected once, in one of its two spellings');
      else if (field.oneof !== undefined && chooses(field, value) && said.has(field.oneof)) {
        this.#add(
          at,
          `expected one of ${field.oneof.fields.map(({ jsonName }) => jsonName).join(', ')} at most`,
        );
      }
      said.add(field);
      if (field.oneof !== undefined && chooses(field, value)) said.add(field.oneof);
    }
    if (this.faults.length === before) this.#add(pointer, messageExpectation(message));
  }

  #field(place: Place, field: DescField): void {
    const { message, json, pointer } = place;
    const fits = (value: JsonValue): boolean => this.#fits(message, { [field.jsonName]: value });
    if (this.faults.length >= MAX_FAULTS || fits(json)) return;
    if (field.fieldKind === 'list') {
      if (!Array.isArray(json)) return this.#add(pointer, 'expected a list');
      json.forEach((item, index) => {
        if (this.faults.length >= MAX_FAULTS || fits([item])) return;
        this.#value({ ...place, json: item, pointer: `${pointer}/${index}` }, field);
      });
    } else if (field.fieldKind === 'map') this.#map(place, field, fits);
    else this.#value(place, field);
  }

  #map(place: Place, field: DescField & { fieldKind: 'map' }, fits: (value: JsonValue) => boolean): void {
    const { json, pointer } = place;
    if (!isJsonObject(json)) return this.#add(pointer, 'expected an object');
    const before = this.faults.length;
    for (const [key, value] of Object.entries(json)) {
      if (this.faults.length >= MAX_FAULTS || fits({ [key]: value })) continue;
      const at = `${pointer}/${pointerPart(key)}`;
      if (!isMapKey(field.mapKey, key)) this.#add(at, keyExpectation(field.mapKey));
      else this.#value({ ...place, json: value, pointer: at }, field);
    }
    if (this.faults.length === before) this.#add(pointer, 'expected each key once');
  }

  #value(place: Place, field: DescField): void {
    if (field.message === undefined || place.json === null) this.#add(place.pointer, expectationOf(field));
    else this.message({ ...place, message: field.message, depth: place.depth + 1 });
  }

  #fits(message: DescMessage, json: JsonValue): boolean {
    try {
      this.#reader.read(message, json);
      return true;
    } catch {
      return false;
    }
  }

  #add(pointer: string, message: string): void {
    this.faults.push({ pointer, message });
  }
}

/** Whether a value sets a member of a oneof: null only does where it is a value. */
function chooses(field: DescField, value: JsonValue): boolean {
  const typeName = (field.enum ?? field.message)?.typeName;
  return value !== null || typeName === 'google.protobuf.Value' || typeName === 'google.protobuf.NullValue';
}
