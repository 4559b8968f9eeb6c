import type { OfferedModules } from '../../src/cli/commands.ts';
import { main } from '../../src/cli/main.ts';
import type { BinResult } from './child.ts';

/**
 * Runs a command of the bin to its end within this process, which has its code already: what a process of its own does beside is
 * to start. One at a time.
 *
 * @param env variables besides those of this process.
 * @param modules what `modules:` of the file can name. Default nothing.
 */
export async function runCommand(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  modules: OfferedModules = [],
): Promise<BinResult> {
  const { stdout, stderr } = process;
  // Options of a command become variables of its process.
  const variables = { ...process.env };
  Object.assign(process.env, env);
  const before = process.exitCode;
  const [out, error] = [heard(stdout), heard(stderr)];
  process.exitCode = 0;
  try {
    await main(args, modules);
    return { code: Number(process.exitCode), stdout: out.text, stderr: error.text };
  } finally {
    out.restore();
    error.restore();
    process.exitCode = before;
    for (const name of Object.keys(process.env)) if (!(name in variables)) delete process.env[name];
    Object.assign(process.env, variables);
  }
}

interface Heard {
  readonly text: string;
  restore(): void;
}

/** What is written to a stream, in place of it. */
function heard(stream: NodeJS.WriteStream): Heard {
  const { write } = stream;
  let text = '';
  stream.write = ((chunk: string | Uint8Array) => {
    text += Buffer.from(chunk as Uint8Array).toString();
    return true;
  }) as typeof stream.write;
  return {
    get text() {
      return text;
    },
    restore: () => void (stream.write = write),
  };
}
