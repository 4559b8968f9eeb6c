import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeClient } from '../../src/contracts/client/client-writer.ts';
import type { OpenApiDocument } from '../../src/contracts/openapi.ts';
import { CHEAP } from './type-check.ts';

const TSC = join(process.cwd(), 'node_modules/typescript-7/bin/tsc');
const STRICT = [
  '--noEmit',
  '--strict',
  '--noUncheckedIndexedAccess',
  '--exactOptionalPropertyTypes',
  '--noUnusedLocals',
  '--noUnusedParameters',
  '--noImplicitReturns',
  '--erasableSyntaxOnly',
  '--allowImportingTsExtensions',
  '--ignoreConfig',
  '--pretty',
  'false',
  '--target',
  'es2022',
  '--module',
  'nodenext',
];
/** What a program sees of the world. */
export const WORLDS = {
  browser: ['--lib', 'es2022,dom,dom.iterable', '--types', 'null'],
  node: ['--lib', 'es2022', '--types', 'node'],
} as const;

/** A client that was written for a document, in a project of its own. */
export interface MadeClient {
  readonly text: string;
  /** Compiles programs beside it, by file name, and returns what the compiler says. */
  compile(programs: Readonly<Record<string, string>>, world?: keyof typeof WORLDS): string;
  /** Runs it as it is without its types. */
  load(): Promise<unknown>;
  remove(): void;
}

/** Writes a client into a folder of its own, whose packages are those of this repository. */
export async function makeClient(document: OpenApiDocument): Promise<MadeClient> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-client-'));
  const text = await writeClient(document);
  symlinkSync(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'client.ts'), text);
  return {
    text,
    compile: (programs, world = 'browser') => {
      const files = Object.keys(programs);
      for (const name of files) writeFileSync(join(folder, name), programs[name] ?? '');
      const args = [TSC, ...STRICT, ...CHEAP.args, ...WORLDS[world], 'client.ts', ...files];
      return spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', env: CHEAP.env }).stdout;
    },
    load: async () => {
      writeFileSync(join(folder, 'client.mjs'), stripTypeScriptTypes(text));
      return (await import(join(folder, 'client.mjs'))) as unknown;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
