import { dirname } from 'node:path';
import type { Environment } from '../config/env.schema.ts';
import type { GatewaySource } from '../routing/table-builder.ts';

/** What is looked at: a configuration, and the environment that it would start in. */
export interface Surroundings {
  readonly environment: Environment;
  readonly source: GatewaySource;
  /** The variables that secrets are in. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

/** Where the file says something: `gateway.yaml:7:5 identity.issuers[0].jwks`. */
export function placeOf({ source }: Surroundings, path: readonly (string | number)[]): string {
  const { file = source.document.file, line, column } = source.document.locate(path);
  const key = path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  );
  return `${file}:${line}:${column} ${key}`;
}

/** The folder that relative names of files start from. */
export function folderOf({ source }: Surroundings): string {
  return dirname(source.document.file);
}
