import { TypeMetadataStorage } from '@nestjs/graphql';
import type { GraphQLSchema } from 'graphql';
import type { ConfigFault } from '../../../config/config-fault.ts';

/** What Nest keeps of a class that is a type. */
interface Kept {
  name?: string | undefined;
  readonly target: object;
}

const TWICE = /multiple types named "([^"]+)"/;
const MOST = 20;

/**
 * Makes a schema, and finds all types in it that share a name, of which GraphQL itself tells one at a time.
 *
 * @param make makes the schema of what Nest knows.
 * @param tell hears of those; the schema then has some under other names, for whoever looks for other faults, and is not to
 * be served.
 */
export async function schemaOf(
  make: () => Promise<GraphQLSchema>,
  tell: (faults: readonly ConfigFault[]) => void,
): Promise<GraphQLSchema> {
  const renamed: Renamed[] = [];
  try {
    for (;;) {
      try {
        return await make();
      } catch (error) {
        tell(setApart(error, renamed));
      }
    }
  } finally {
    for (const [one, name] of renamed) one.name = name;
  }
}

type Renamed = readonly [one: Kept, name: string];

/** Renames all but one of the types that an error is about. @throws the error itself when it is about something else. */
function setApart(error: unknown, renamed: Renamed[]): readonly ConfigFault[] {
  const name = TWICE.exec(error instanceof Error ? error.message : '')?.[1];
  const same = name === undefined || renamed.length > MOST ? [] : typesNamed(name);
  if (name === undefined || same.length < 2) throw error;
  const faults = faultsOf(name, same);
  for (const one of same.slice(1)) {
    renamed.push([one, name]);
    one.name = `${name}_${renamed.length}`;
  }
  return faults;
}

function typesNamed(name: string): Kept[] {
  const classes = [
    ...TypeMetadataStorage.getObjectTypesMetadata(),
    ...TypeMetadataStorage.getInputTypesMetadata(),
    ...TypeMetadataStorage.getInterfacesMetadata(),
  ] as Kept[];
  return classes.filter((one) => one.name === name);
}

function faultsOf(name: string, [first, ...others]: readonly Kept[]): readonly ConfigFault[] {
  return others.map(({ target }) => {
    const message = `the GraphQL schema has a type "${name}" already, of the class ${nameOf(first?.target)}; give one of them another name`;
    return { file: nameOf(target), key: 'GraphQL', message, code: { at: target } };
  });
}

function nameOf(target: unknown): string {
  return (target as { readonly name?: string } | undefined)?.name ?? '';
}
