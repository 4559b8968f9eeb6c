import 'reflect-metadata';
import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GraphQLSchemaBuilderModule, GraphQLSchemaFactory } from '@nestjs/graphql';
import { lexicographicSortSchema, printSchema } from 'graphql';
import { glob, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format } from 'prettier';

const ROOT = join(import.meta.dirname, '..');
const FILE = 'config/schema.graphql';
const HEAD = '# Generated from the resolvers in src/routes by `node scripts/generate-schema.ts`.\n\n';

/**
 * Writes the GraphQL schema of the built gateway; run `npm run build` first. `--check` only compares. Whether the
 * file breaks clients is for `check-schema-changes.ts`.
 */
async function main(args: readonly string[]): Promise<void> {
  const text = await format(HEAD + (await currentSchema()), { parser: 'graphql', printWidth: 110 });
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
  const resolvers: Type[] = [];
  for await (const file of glob('dist/routes/**/*.resolver.js', { cwd: ROOT })) {
    const exported = Object.values((await import(join(ROOT, file))) as Record<string, unknown>);
    for (const one of exported) if (typeof one === 'function') resolvers.push(one as Type);
  }
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

await main(process.argv.slice(2));
