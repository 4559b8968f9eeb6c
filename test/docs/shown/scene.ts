import { execFile } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OfferedModules } from '../../../src/cli/commands.ts';
import { runCommand } from '../../support/command.ts';
import type { TestGateway } from '../../support/gateway.ts';
import type { Block, ShownCommand } from '../blocks.ts';

/** What stands around a block before it is run, in a folder of its own that is the current one. */
export interface Around {
  /** The gateway that commands ask, and that stands for 8080 and 9080. */
  readonly gateway?: TestGateway;
  readonly env?: Readonly<Record<string, string>>;
  /** What `modules:` of a file can name. */
  readonly modules?: OfferedModules;
  /** What is run in place of a part of a command, such as a shorter time. */
  readonly instead?: readonly (readonly [string, string])[];
  /** Done while a command runs. */
  beside?(): Promise<void>;
  stop?(): Promise<unknown>;
}

/** How a block is run. */
export interface Scene {
  set(): Around | Promise<Around>;
  /** What the block shows where it has no commands. */
  answer?(around: Around): string | Promise<string>;
  /** What differs from run to run besides times, ids and addresses. */
  readonly varies?: readonly RegExp[];
}

/** The blocks of one page, by the first words of each: how one is run, or why it is not. */
export type PageScenes = Readonly<Record<string, Scene | string>>;

/** The scenes of all groups, by page. */
export function joined(
  ...groups: readonly Readonly<Record<string, PageScenes>>[]
): Readonly<Record<string, PageScenes>> {
  const all: Record<string, PageScenes> = {};
  for (const group of groups)
    for (const [page, scenes] of Object.entries(group)) all[page] = { ...all[page], ...scenes };
  return all;
}

/** What a block shows beside what came of it. */
export interface Outcome extends ShownCommand {
  readonly printed: string;
}

/** Runs a block. */
export async function play(
  block: Block,
  scene: Scene,
  commands: readonly ShownCommand[],
): Promise<Outcome[]> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'gatehouse-shown-')));
  const before = process.cwd();
  process.chdir(folder);
  let around: Around = {};
  try {
    around = await scene.set();
    if (scene.answer)
      return [{ command: block.place, output: block.text, printed: await scene.answer(around) }];
    const outcomes: Outcome[] = [];
    for (const shown of commands)
      outcomes.push({ ...shown, printed: await printed(shown.command, around, shown.output === '') });
    return outcomes;
  } finally {
    process.chdir(before);
    await around.stop?.();
    rmSync(folder, { recursive: true });
  }
}

async function printed(shown: string, around: Around, mustPass: boolean): Promise<string> {
  const command = (around.instead ?? []).reduce((text, [from, to]) => text.replaceAll(from, to), shown);
  const [program, name, ...args] = wordsOf(command);
  const beside = around.beside?.();
  const run =
    program === 'npx' && name === 'gatehouse'
      ? runCommand(args, envOf(around), around.modules)
      : shell(command, around);
  const { code, stdout, stderr } = await run;
  await beside;
  if (mustPass && code !== 0) throw new Error(`${command}: ended with ${code}: ${stdout}${stderr}`);
  // Header lines end as HTTP has it.
  return (stdout + stderr).replaceAll('\r\n', '\n');
}

function envOf({ gateway, env }: Around): Record<string, string> {
  return { ...(gateway && { ADMIN_PORT: new URL(gateway.adminUrl).port }), ...env };
}

/** The words of a command, without their quotes. */
function wordsOf(command: string): string[] {
  const words = command.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g);
  return [...words].map(([word]) => word.replaceAll(/'([^']*)'|"([^"]*)"/g, '$1$2'));
}

function shell(
  command: string,
  { gateway, env }: Around,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const placed =
    gateway === undefined
      ? command
      : command
          .replaceAll(/(?:localhost|127\.0\.0\.1):9080/g, new URL(gateway.adminUrl).host)
          .replaceAll(/(?:localhost|127\.0\.0\.1):8080/g, new URL(gateway.url).host);
  return new Promise((resolve) => {
    const child = execFile(
      'sh',
      ['-c', placed],
      { encoding: 'utf8', env: { ...process.env, ...env } },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}
