import 'reflect-metadata';
import { Module, type DynamicModule, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GraphQLSchemaBuilderModule, GraphQLSchemaFactory, RESOLVER_TYPE_METADATA } from '@nestjs/graphql';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatted } from './formatted.ts';

const ROOT = join(import.meta.dirname, '..');
const FILE = 'config/schema.graphql';
const HEAD = '# Generated from the resolvers in src/routes by `node scripts/generate-schema.ts`.\n\n';

/**
 * Writes the GraphQL schema of the built gateway; run `npm run build` first. `--check` only compares. Whether the
 * file breaks clients is for `check-schema-changes.ts`.
 */
async function main(args: readonly string[]): Promise<void> {
  const text = await formatted(FILE, HEAD + (await currentSchema()));
  const path = join(ROOT, FILE);
  const before = await readFile(path, 'utf8').catch(() => '');
  if (before === text) return;
  if (!args.includes('--check')) await writeFile(path, text);
  process.stdout.write(
    `${FILE}: ${args.includes('--check') ? 'stale, run "npm run generate"' : 'written'}\n`,
  );
  process.exitCode = args.includes('--check') ? 1 : 0;
}

async function currentSchema(): Promise<string> {
  const { modules } = (await import(join(ROOT, 'dist/routes/index.js'))) as {
    readonly modules: readonly { readonly module: Part }[];
  };
  const resolvers = [...new Set(modules.flatMap(({ module }) => resolversOf(module)))];
  if (resolvers.length === 0) throw new Error('there are no resolvers in dist/routes; run `npm run build`');
  class Root {}
  Module({ imports: [GraphQLSchemaBuilderModule] })(Root);
  const app = await NestFactory.createApplicationContext(Root, { logger: false });
  const schema = await app
    .get(GraphQLSchemaFactory)
    .create(resolvers.sort((a, b) => (a.name < b.name ? -1 : 1)));
  await app.close();
  return printSchema(lexicographicSortSchema(schema));
}

type Part = Type | DynamicModule;

/** The resolvers of a module and of those that it imports, whether they are written or made of a view. */
function resolversOf(part: Part): readonly Type[] {
  const target = 'module' in part ? part.module : part;
  const said: Partial<DynamicModule> = 'module' in part ? part : {};
  const imports = [...listOf<Part>('imports', target), ...((said.imports ?? []) as Part[])];
  const providers = [...listOf<Type>('providers', target), ...((said.providers ?? []) as Type[])];
  return [
    ...imports.flatMap((one) => (typeof one === 'function' || 'module' in one ? resolversOf(one) : [])),
    ...providers.filter(
      (one) => typeof one === 'function' && Reflect.hasMetadata(RESOLVER_TYPE_METADATA, one),
    ),
  ];
}

function listOf<One>(key: string, target: object): readonly One[] {
  return (Reflect.getMetadata(key, target) ?? []) as readonly One[];
}

await main(process.argv.slice(2));
