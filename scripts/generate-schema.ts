import 'reflect-metadata';
import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { GraphQLSchemaBuilderModule, GraphQLSchemaFactory } from '@nestjs/graphql';
import { buildSchema, findBreakingChanges, lexicographicSortSchema, printSchema } from 'graphql';
import { spawnSync } from 'node:child_process';
import { glob, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format } from 'prettier';

const ROOT = join(import.meta.dirname, '..');
const FILE = 'config/schema.graphql';
const HEAD = '# Generated from the resolvers in src/routes by `node scripts/generate-schema.ts`.\n\n';

/**
 * Writes the GraphQL schema of the built gateway; run `npm run build` first. `--check` only compares.
 * `--against <git ref>` fails for changes that break clients of the schema at that ref.
 */
async function main(args: readonly string[]): Promise<void> {
  const text = await format(HEAD + (await currentSchema()), { parser: 'graphql', printWidth: 110 });
  const against = args[args.indexOf('--against') + 1];
  if (args.includes('--against') && against !== undefined) return compare(against, text);
  const path = join(ROOT, FILE);
  const before = await readFile(path, 'utf8').catch(() => '');
  if (before === text) return;
  if (!args.includes('--check')) await writeFile(path, text);
  process.stdout.write(
    `${FILE}: ${args.includes('--check') ? 'stale' : 'written'}\n${breaking(before, text)}`,
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

function compare(ref: string, text: string): void {
  const shown = spawnSync('git', ['show', `${ref}:${FILE}`], { cwd: ROOT, encoding: 'utf8' });
  // A ref that has no schema yet has no clients of it.
  const report = shown.status === 0 ? breaking(shown.stdout, text) : '';
  process.stdout.write(report);
  process.exitCode = report === '' ? 0 : 1;
}

function breaking(before: string, after: string): string {
  if (before === '') return '';
  const changes = findBreakingChanges(buildSchema(before), buildSchema(after));
  return changes.map(({ type, description }) => `breaks clients: ${type}: ${description}\n`).join('');
}

await main(process.argv.slice(2));
