import { open, type FileHandle } from 'node:fs/promises';
import { endSchema, type SampleEnd } from '../record/sample-format.ts';
import type { Environment } from '../config/env.schema.ts';
import { streamAdmin } from './admin-client.ts';
import type { Outlet } from './commands.ts';
import type { RecordCommand } from './record-command.ts';
import { cannotWrite } from './written-file.ts';

/** Only whoever records may read it: there is nothing secret in it, but much that is private. */
const OWNER_ONLY = 0o600;

/**
 * Has a gateway that runs record, and writes the sample into a file.
 *
 * @throws {Error} for people, when it cannot be reached, refuses, or breaks off.
 */
export async function runRecord(
  { outFile, admin, order }: RecordCommand,
  environment: Environment,
  out: Outlet,
): Promise<void> {
  const sample = await streamAdmin({ admin, environment }, '/record', order);
  const file = await open(outFile, 'w', OWNER_ONLY).catch((error: unknown) => {
    throw cannotWrite(outFile, error);
  });
  try {
    const end = await written(sample, file);
    if (end === undefined) throw new Error(`the gateway has broken off; ${outFile} has what came until then`);
    const lost = end.lost === 0 ? '' : `, ${end.lost} lost because this was too slow`;
    out.write(`${outFile}: ${end.recorded} exchanges, ${end.skipped} left out${lost}; ended by ${end.end}\n`);
  } finally {
    await file.close();
  }
}

async function written(sample: AsyncIterable<Uint8Array>, file: FileHandle): Promise<SampleEnd | undefined> {
  let tail = '';
  for await (const chunk of sample) {
    await file.write(chunk);
    tail = (tail + Buffer.from(chunk).toString()).slice(-1000);
  }
  const last = tail.trimEnd().split('\n').at(-1) ?? '';
  try {
    return endSchema.parse(JSON.parse(last));
  } catch {
    return undefined;
  }
}
