import {
  fromJson,
  type DescField,
  type DescMessage,
  type JsonValue,
  type Registry,
} from '@bufbuild/protobuf';
import { expectationOf, messageExpectation } from './field-text.ts';
import { fieldNamed, hasJsonOfItsOwn } from './field-path.ts';

/** One thing that is wrong with a request. */
export interface InputFault {
  /** JSON pointer (RFC 6901) into the request message. */
  readonly pointer: string;
  /** What was expected; never repeats what was sent. */
  readonly message: string;
  /** Name of the query or path parameter, when it came from one. */
  readonly parameter?: string;
}

/** Deeper faults are named by the value around them, so that looking for them costs little. */
const MAX_DEPTH = 8;
const MAX_FAULTS = 20;

/** What JSON is checked against. */
interface Rules {
  readonly registry: Registry;
  readonly ignoreUnknownFields: boolean;
}

/**
 * Says where a JSON value, which does not fit a message as a whole, does not fit it. Only asked after parsing
 * has failed: the parser itself judges every part, so that the two cannot differ.
 */
export function inputFaults(message: DescMessage, json: JsonValue, rules: Rules): InputFault[] {
  const faults: InputFault[] = [];
  inspect({ message, json, pointer: '', depth: 0 }, rules, faults);
  if (faults.length === 0) {
    faults.push({ pointer: '', message: 'expected no field twice, and one field of a oneof at most' });
  }
  return faults.slice(0, MAX_FAULTS);
}

interface Place {
  readonly message: DescMessage;
  readonly json: JsonValue;
  readonly pointer: string;
  readonly depth: number;
}

function inspect(place: Place, rules: Rules, faults: InputFault[]): void {
  const { message, json, pointer, depth } = place;
  if (depth > MAX_DEPTH || hasJsonOfItsOwn(message) || !isObject(json)) {
    return void faults.push({ pointer, message: messageExpectation(message) });
  }
  const before = faults.length;
  for (const [key, value] of Object.entries(json)) {
    if (faults.length >= MAX_FAULTS) return;
    const at = `${pointer}/${escaped(key)}`;
    const field = fieldNamed(message, key);
    if (field !== undefined) inspectField({ ...place, json: value, pointer: at }, field, rules, faults);
    else if (!rules.ignoreUnknownFields) faults.push({ pointer: at, message: 'is not known here' });
  }
  // What fits piece by piece and not as a whole says one thing twice.
  if (faults.length === before && depth > 0) {
    faults.push({ pointer, message: 'expected no field twice, and one field of a oneof at most' });
  }
}

function inspectField(place: Place, field: DescField, rules: Rules, faults: InputFault[]): void {
  const { message, json, pointer } = place;
  const fits = (value: JsonValue): boolean => parses(message, { [field.jsonName]: value }, rules);
  if (fits(json)) return;
  if (field.fieldKind === 'list') {
    if (!Array.isArray(json)) return void faults.push({ pointer, message: 'expected a list' });
    json.forEach((item, index) => {
      const at = { ...place, json: item, pointer: `${pointer}/${index}` };
      if (faults.length < MAX_FAULTS && !fits([item])) inspectValue(at, field, rules, faults);
    });
  } else if (field.fieldKind === 'map') {
    if (!isObject(json)) return void faults.push({ pointer, message: 'expected an object' });
    for (const [key, value] of Object.entries(json)) {
      const at = { ...place, json: value, pointer: `${pointer}/${escaped(key)}` };
      if (faults.length < MAX_FAULTS && !fits({ [key]: value })) inspectValue(at, field, rules, faults);
    }
  } else inspectValue(place, field, rules, faults);
}

function inspectValue(place: Place, field: DescField, rules: Rules, faults: InputFault[]): void {
  if (field.message === undefined || place.json === null) {
    faults.push({ pointer: place.pointer, message: expectationOf(field) });
  } else inspect({ ...place, message: field.message, depth: place.depth + 1 }, rules, faults);
}

function parses(message: DescMessage, json: JsonValue, rules: Rules): boolean {
  try {
    fromJson(message, json, rules);
    return true;
  } catch {
    return false;
  }
}

function isObject(json: JsonValue): json is Record<string, JsonValue> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function escaped(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
