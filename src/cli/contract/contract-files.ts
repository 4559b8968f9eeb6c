import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openapiText } from '../../contracts/artefacts/openapi-text.ts';
import { problemList } from '../../contracts/artefacts/problem-list.ts';
import { ContractDocument } from '../../contracts/contract-document.ts';
import type { Gateway } from '../../main.ts';
import type { OfferedModules, Outlet } from '../commands.ts';
import { compiled } from '../compiled.ts';
import type { WriteContractsCommand } from './contracts-command.ts';
import { cannotWrite, writeTo } from '../written-file.ts';

/** What the files of contracts are called. */
export const CONTRACT_FILES = {
  openapi: 'openapi.json',
  graphql: 'schema.graphql',
  problems: 'problems.json',
} as const;

/** The contracts of a gateway as texts, by name so that the order of routes changes nothing. */
export interface ContractTexts {
  readonly openapi: string;
  /** Undefined for a gateway without GraphQL. */
  readonly graphql: string | undefined;
  readonly problems: string;
}

/** Writes the contracts of a configuration into a folder. @throws {ConfigError} with all that is wrong with it. */
export async function runWriteContracts(
  { configFile, folder }: WriteContractsCommand,
  modules: OfferedModules,
  out: Outlet,
): Promise<void> {
  const texts = await currentContracts(configFile, modules);
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw cannotWrite(folder, error);
  });
  for (const [name, file] of Object.entries(CONTRACT_FILES) as [keyof ContractTexts, string][]) {
    const path = join(folder, file);
    const text = texts[name];
    if (text !== undefined) await writeTo(path, text);
    // One of an earlier time would be taken for a promise.
    else await rm(path, { force: true });
    if (text !== undefined) out.write(`${path}: written\n`);
  }
}

/** The contracts of a configuration. @throws {ConfigError} with all that is wrong with it. */
export async function currentContracts(
  configFile: string | undefined,
  modules: OfferedModules,
): Promise<ContractTexts> {
  const { gateway } = await compiled(configFile, modules);
  try {
    const { document } = gateway.app.get(ContractDocument).current();
    return {
      openapi: openapiText(document),
      graphql: await schemaOf(gateway),
      problems: `${JSON.stringify(problemList(), null, 2)}\n`,
    };
  } finally {
    await gateway.app.close();
  }
}

async function schemaOf({ app }: Gateway): Promise<string | undefined> {
  const [{ GraphQLSchemaHost }, { schemaText }] = await Promise.all([
    import('@nestjs/graphql'),
    import('../../contracts/artefacts/schema-text.ts'),
  ]);
  let host: InstanceType<typeof GraphQLSchemaHost>;
  try {
    host = app.get(GraphQLSchemaHost, { strict: false });
  } catch {
    // No module of it adds to a schema.
    return undefined;
  }
  return schemaText(host.schema);
}
