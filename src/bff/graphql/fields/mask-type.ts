import {
  getNullableType,
  isLeafType,
  isNonNullType,
  isSpecifiedScalarType,
  type GraphQLField,
  type GraphQLLeafType,
} from 'graphql';

/**
 * Checks that a field can show a mask: `null` where it is nullable, else a value that its type shows as it is.
 *
 * @throws {Error} naming the field and what it can show.
 */
export function mustFit(origin: string, field: GraphQLField<unknown, never>, mask: unknown): void {
  if (mask === null) {
    if (isNonNullType(field.type))
      throw new Error(`${origin}: @Mask needs a nullable field, or \`with\`: what the others see`);
    return;
  }
  const type = getNullableType(field.type);
  if (isLeafType(type) && shows(type, mask)) return;
  throw new Error(
    `${origin}: @Mask shows ${JSON.stringify(mask)}, which is no ${String(type)}; ` +
      `expected \`with\` to be ${isLeafType(type) ? `a value of ${type.name}` : '`null`'}`,
  );
}

function shows(type: GraphQLLeafType, mask: unknown): boolean {
  try {
    const shown: unknown = type.serialize(mask);
    // The scalars of GraphQL turn text into numbers and the other way round, which the other face would not do.
    return isSpecifiedScalarType(type) ? shown === mask : shown !== undefined;
  } catch {
    return false;
  }
}
