/**
 * Makes sure that the tests find a `redis-server`: uses the one on PATH, else installs the system's package
 * where that needs no question (root, or sudo without a password), else says what to do and exits with 1.
 * It never leaves the distribution's Redis service running: the tests start their own server on a free port.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

interface PackageSystem {
  /** The command that must be on PATH for this system to be the one. */
  readonly command: string;
  /** What a person types. */
  readonly advice: string;
  /** What this script runs as root. */
  readonly install: string;
}

/** The service is ours to switch off: it came with the package that was installed a moment ago. */
const SILENCE_SERVICE = `
if command -v systemctl >/dev/null 2>&1; then
  for unit in redis-server redis valkey; do systemctl disable --now "$unit" >/dev/null 2>&1 || true; done
fi`;

/** Debian starts services while it installs them, unless policy-rc.d forbids it (Debian Policy 9.3.3). */
const APT_INSTALL = `
export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
if [ ! -e /usr/sbin/policy-rc.d ]; then
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
fi
lock='-o DPkg::Lock::Timeout=120'
apt-get $lock update -qq >/dev/null 2>&1 || true
apt-get $lock install -y -qq --no-install-recommends redis-server >/dev/null`;

const SYSTEMS: readonly PackageSystem[] = [
  { command: 'apt-get', advice: 'sudo apt-get install redis-server', install: APT_INSTALL },
  { command: 'apk', advice: 'apk add redis', install: 'apk add --quiet --no-cache redis >/dev/null' },
  {
    command: 'dnf',
    advice: 'sudo dnf install redis   (newer Fedora: valkey-compat-redis)',
    install: 'dnf install -y -q redis >/dev/null 2>&1 || dnf install -y -q valkey-compat-redis >/dev/null',
  },
];

/** What a person types on systems that this script does not install on. */
const OTHER_ADVICE: readonly string[] = [
  'macOS:   brew install redis',
  'Arch:    sudo pacman -S redis',
  'Nix:     nix-shell -p redis',
  'Windows: run the tests in WSL, then as on Debian',
];

function onPath(command: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const candidate = join(folder || '.', command);
    try {
      accessSync(candidate, constants.X_OK);
      if (statSync(candidate).isFile()) return candidate;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** The command line that runs a shell script as root without a question, or nothing. */
function rootShell(): readonly [string, ...string[]] | undefined {
  if (process.getuid?.() === 0) return ['sh'];
  const passwordless = onPath('sudo') !== undefined && spawnSync('sudo', ['-n', 'true']).status === 0;
  return passwordless ? ['sudo', '-n', 'sh'] : undefined;
}

/** Installs the package; returns what went wrong, or nothing. */
function install(system: PackageSystem, shell: readonly [string, ...string[]]): string | undefined {
  const [command, ...args] = shell;
  const script = `set -e\n${system.install}\n${SILENCE_SERVICE}\n`;
  const run = spawnSync(command, [...args, '-c', script], { encoding: 'utf8', timeout: 300_000 });
  if (run.status === 0) return undefined;
  return run.error?.message ?? run.stderr.trim().split('\n').at(-1) ?? `exit status ${String(run.status)}`;
}

function giveUp(reason: string, system: PackageSystem | undefined): never {
  const advice =
    system === undefined ? [...SYSTEMS.map((each) => each.advice), ...OTHER_ADVICE] : [system.advice];
  console.error(
    `The tests need redis-server: ${reason}. Install it, then run npm test again:\n  ${advice.join('\n  ')}`,
  );
  process.exit(1);
}

const found = onPath('redis-server');
if (found !== undefined) {
  console.log(`redis-server: ${found}`);
} else {
  const system = SYSTEMS.find((each) => onPath(each.command) !== undefined);
  const shell = rootShell();
  if (system === undefined) giveUp('it is not on PATH', undefined);
  if (shell === undefined) giveUp('it is not on PATH, and installing it needs root', system);
  const fault = install(system, shell);
  const installed = onPath('redis-server');
  if (fault !== undefined || installed === undefined) {
    giveUp(`installing it with ${system.command} failed (${fault ?? 'still not on PATH'})`, system);
  }
  console.log(`redis-server: ${installed} (installed with ${system.command}; its service is not running)`);
}
