import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { hasCustomJsonRepresentation } from '@bufbuild/protobuf/wkt';
import { nearestName } from '../../config/nearest-name.ts';

/** A field of a message by its name in the proto or in JSON. */
export function fieldNamed(message: DescMessage, name: string): DescField | undefined {
  return message.fields.find((field) => field.name === name || field.jsonName === name);
}

/**
 * Finds a field by its path; every field but the last is a singular message.
 *
 * @throws {Error} saying which name is wrong, and the nearest right one.
 */
export function fieldsAt(message: DescMessage, path: readonly string[]): readonly DescField[] {
  const fields: DescField[] = [];
  let within: DescMessage | undefined = message;
  for (const name of path) {
    if (within === undefined) throw new Error(`"${fields.at(-1)?.name ?? ''}" has no fields of its own`);
    const field = fieldNamed(within, name);
    if (field === undefined) throw unknownField(within, name);
    fields.push(field);
    within = field.fieldKind === 'message' && !hasJsonOfItsOwn(field.message) ? field.message : undefined;
  }
  return fields;
}

/** Whether the JSON of a message is not an object of its fields. */
export function hasJsonOfItsOwn(message: DescMessage): boolean {
  return hasCustomJsonRepresentation(message);
}

function unknownField(message: DescMessage, name: string): Error {
  const near = nearestName(
    name,
    message.fields.map((field) => field.name),
  );
  const hint = near === undefined ? '' : `; did you mean "${near}"?`;
  return new Error(`${message.typeName} has no field "${name}"${hint}`);
}
