import { spawnSync } from 'node:child_process';
import { readNamedFile } from '../../../config/named-file.ts';
import { createFileRegistry, fromBinary, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

const MAX_SET_BYTES = 256 * 2 ** 20;
const MAX_LINES = 50;

/** Thrown for schemas that cannot be compiled. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
  /** One for each fault that the compiler has found. */
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

/**
 * Reads a descriptor set, imports included.
 *
 * @throws {Error} saying what is wrong with the file and how one is made.
 */
export function readDescriptorSet(file: string): FileRegistry {
  let bytes: Buffer;
  try {
    bytes = readNamedFile(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(code === 'ENOENT' ? `there is no file ${file}` : `cannot read ${file}: ${message}`, {
      cause: error,
    });
  }
  return registryOf(bytes, file);
}

/**
 * Compiles schemas with `buf`, which must be on the PATH.
 *
 * @param path a `.proto` file, or the folder of a module.
 * @throws {SchemaError} with all that `buf` says.
 * @throws {Error} how to do without it.
 */
export function compileProto(path: string): FileRegistry {
  const args = ['build', path, '--as-file-descriptor-set', '--output', '-'];
  const done = spawnSync('buf', args, { maxBuffer: MAX_SET_BYTES, env: process.env });
  if (done.error !== undefined) {
    const { code, message } = done.error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'is not installed' : `cannot be run: ${message}`;
    throw new Error(
      `\`buf\`, which compiles it, ${why}; use \`descriptorSet\` with what \`buf build ${path} -o descriptors.binpb\` writes`,
    );
  }
  if (done.status !== 0) throw new SchemaError(linesOf(done.stderr));
  return registryOf(done.stdout, path);
}

function registryOf(bytes: Uint8Array, from: string): FileRegistry {
  try {
    return createFileRegistry(fromBinary(FileDescriptorSetSchema, bytes));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(
      `${from} is not a descriptor set with all its imports (${why}); make one with \`buf build\` or \`protoc --include_imports --descriptor_set_out\``,
      { cause: error },
    );
  }
}

/** What `buf` says, most of it: a file of another format yields a line for each of its own. */
function linesOf(text: Buffer): readonly string[] {
  const lines = text.toString().trim().split('\n').slice(0, MAX_LINES);
  return lines.map((line) => `\`buf build\` refuses it: ${line}`);
}
