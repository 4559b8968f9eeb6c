/**
 * Makes sure that the tests find a tool that no npm package brings: uses the one that is there, else installs the
 * system's package where that needs no question (root, or sudo without a password), else says what to do.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What this script installs with, in the order in which it looks for them. */
const PACKAGE_SYSTEMS = ['apt-get', 'apk', 'dnf'] as const;

/** How one package system gets a tool. */
export interface PackageAdvice {
  /** What a person types. */
  readonly advice: string;
  /** What is run as root, by `sh -e`. */
  readonly install: string;
}

/** A tool that the tests need. */
export interface TestTool {
  readonly name: string;
  /** What is missing, for the sentence "The tests need …: it is …". */
  readonly missing: string;
  /** Said after an installation. */
  readonly note?: string;
  /** Looks for it; returns where it is. */
  find(): string | undefined;
  readonly packages: Readonly<Record<(typeof PACKAGE_SYSTEMS)[number], PackageAdvice>>;
  /** What a person types on systems that this script does not install on. */
  readonly elsewhere: readonly string[];
}

/**
 * A script for {@link PackageAdvice.install} on Debian and its kin. They start services while they install them,
 * unless policy-rc.d forbids it (Debian Policy 9.3.3).
 */
export function aptInstall(packages: string): string {
  return `
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
if [ ! -e /usr/sbin/policy-rc.d ]; then
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
fi
lock='-o DPkg::Lock::Timeout=120'
apt-get $lock update -qq >/dev/null 2>&1 || true
apt-get $lock install -y -qq --no-install-recommends ${packages} >/dev/null`;
}

/** Every command of that name on the PATH that can be run, first to last. */
export function allOnPath(command: string): string[] {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return folders.map((folder) => join(folder || '.', command)).filter(isCommand);
}

/** Whether a file is there and may be run. */
export function isCommand(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Finds or installs a tool and says where it is; ends the process with 1 when it cannot. */
export function ensureTool(tool: TestTool): void {
  const found = tool.find();
  if (found !== undefined) return console.log(`${tool.name}: ${found}`);
  const system = PACKAGE_SYSTEMS.find((command) => allOnPath(command).length > 0);
  const shell = rootShell();
  if (system === undefined) return giveUp(tool, tool.missing);
  const { advice, install } = tool.packages[system];
  if (shell === undefined) return giveUp(tool, `${tool.missing}, and installing it needs root`, advice);
  const fault = runAsRoot(shell, install);
  const installed = tool.find();
  if (fault !== undefined || installed === undefined) {
    return giveUp(tool, `installing it with ${system} failed (${fault ?? `still: ${tool.missing}`})`, advice);
  }
  console.log(`${tool.name}: ${installed} (installed with ${system}${tool.note ?? ''})`);
}

/** The command line that runs a shell script as root without a question, or nothing. */
function rootShell(): readonly [string, ...string[]] | undefined {
  if (process.getuid?.() === 0) return ['sh'];
  const isPasswordless =
    allOnPath('sudo').length > 0 && spawnSync('sudo', ['-n', 'true'], { timeout: 10_000 }).status === 0;
  return isPasswordless ? ['sudo', '-n', 'sh'] : undefined;
}

/** Runs a script; returns what went wrong, or nothing. */
function runAsRoot([command, ...args]: readonly [string, ...string[]], script: string): string | undefined {
  const run = spawnSync(command, [...args, '-c', `set -e\n${script}\n`], {
    encoding: 'utf8',
    timeout: 300_000,
  });
  if (run.status === 0) return undefined;
  return run.error?.message ?? run.stderr.trim().split('\n').at(-1) ?? `exit status ${String(run.status)}`;
}

function giveUp(tool: TestTool, reason: string, advice?: string): void {
  const all = [...PACKAGE_SYSTEMS.map((command) => tool.packages[command].advice), ...tool.elsewhere];
  const lines = advice === undefined ? all : [advice];
  console.error(
    `The tests need ${tool.name}: ${reason}. Install it, then run npm test again:\n  ${lines.join('\n  ')}`,
  );
  process.exitCode = 1;
}
