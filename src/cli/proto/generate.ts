import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, sep } from 'node:path';
import { DESCRIPTOR_FOLDERS } from '../../upstreams/grpc/descriptors/descriptor-places.ts';
import type { Outlet } from '../commands.ts';
import { Buf, packageFile, type BufResult } from './buf.ts';
import { changesOf, filesIn, write, type Change } from './generated-files.ts';
import type { ProtoCommand } from './proto-command.ts';

/** Where what it says goes: what was written, and what is said of it. */
export interface ProtoOutlets {
  readonly out: Outlet;
  readonly err: Outlet;
}

/**
 * Writes the code of schemas, and a descriptor set for each folder or file of theirs, named by it. What lint says are warnings.
 *
 * @returns whether all is well: with `--check`, whether nothing is stale.
 * @throws {Error} for schemas that cannot be compiled, with all that the compiler says, and for tools that are missing.
 */
export function runProto(command: ProtoCommand, { out, err }: ProtoOutlets): boolean {
  const { folder, code, isCheck } = command;
  const entries = entriesOf(folder);
  const scratch = mkdtempSync(join(tmpdir(), 'gatehouse-proto-'));
  try {
    const buf = new Buf(process.cwd(), folder, join(scratch, 'cache'));
    const made = { code: join(scratch, 'code'), sets: join(scratch, 'sets') };
    mkdirSync(made.sets);
    for (const entry of entries) {
      const set = join(made.sets, `${basename(entry, '.proto')}.binpb`);
      demand(buf.run('build', [entry], ['--as-file-descriptor-set', '--output', set]));
    }
    // What cannot be compiled is a fault already, and no warning too.
    for (const line of buf.run('lint', entries, []).lines) err.write(`warning: ${line}\n`);
    if (code !== undefined) demand(buf.run('generate', entries, [...templateArgs(), '--output', made.code]));
    const descriptors = command.descriptors ?? descriptorFolder();
    const changes = [
      ...(code === undefined ? [] : changesOf(code, filesIn(made.code))),
      ...changesOf(descriptors, filesIn(made.sets)),
    ];
    return isCheck ? report(changes, err) : writeAll(changes, out);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The folders and files at the top of a folder that have schemas. */
function entriesOf(folder: string): readonly string[] {
  if (!existsSync(folder)) throw new Error(`there is no folder ${folder} with schemas`);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.proto'),
  );
  if (files.length === 0) throw new Error(`there is no .proto file in ${folder}`);
  return [...new Set(files.map((file) => join(folder, file.split(sep)[0] ?? '')))].toSorted();
}

function descriptorFolder(): string {
  return DESCRIPTOR_FOLDERS.find((folder) => existsSync(join(folder, '..', 'gateway.yaml'))) ?? 'descriptors';
}

/** Only a generator that is installed is named, so that generating needs no network. */
function templateArgs(): readonly string[] {
  const generator = packageFile(process.cwd(), '@bufbuild/protoc-gen-es', 'bin/protoc-gen-es');
  if (generator === undefined)
    throw new Error(
      'the generator of code is not installed; npm install --save-dev @bufbuild/protoc-gen-es, or ask for --no-code',
    );
  const opt = ['target=ts', 'import_extension=ts', 'erasable_syntax=true'];
  const plugins = [{ local: [process.execPath, generator], out: '.', opt }];
  return ['--include-imports', '--template', JSON.stringify({ version: 'v2', plugins })];
}

function demand({ status, lines }: BufResult): void {
  if (status === 0) return;
  const isMissing = lines.some((line) => line.includes('imported file does not exist'));
  const hint = isMissing
    ? '\nnpm install --save-dev google-proto-files has what is imported from google/api and google/rpc'
    : '';
  throw new Error(`${lines.join('\n')}${hint}`);
}

function report(changes: readonly Change[], err: Outlet): boolean {
  for (const { path } of changes) err.write(`stale: ${path}\n`);
  if (changes.length > 0) err.write('run `gatehouse proto generate` again\n');
  return changes.length === 0;
}

function writeAll(changes: readonly Change[], out: Outlet): boolean {
  for (const change of changes) {
    write(change);
    out.write(`${change.content === undefined ? 'removed' : 'wrote'} ${change.path}\n`);
  }
  if (changes.length === 0) out.write('nothing has changed\n');
  return true;
}
