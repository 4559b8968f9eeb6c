/**
 * Makes sure that the long tests find a real API server of Kubernetes: `kube-apiserver`, built of the Go module
 * `k8s.io/kubernetes`, the definitions of the Gateway API, and `etcd`. Building takes a quarter of an hour of CPU, once; it is
 * kept in the folder for caches of whoever runs the tests.
 */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { kubePlace } from './kube-place.ts';
import { allOnPath, aptInstall, ensureTool } from './system-package.ts';

const { kubernetes: KUBERNETES, gatewayApi: GATEWAY_API, folder, server, definitions } = kubePlace;
const MAIN = `package main

import (
	"os"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() { os.Exit(cli.Run(app.NewAPIServerCommand())) }
`;

ensureTool({
  name: 'etcd',
  missing: 'it is not on PATH',
  note: '; its service is not running',
  find: () => allOnPath('etcd')[0],
  packages: {
    'apt-get': { advice: 'sudo apt-get install etcd-server', install: aptInstall('etcd-server') },
    apk: { advice: 'apk add etcd', install: 'apk add --quiet --no-cache etcd >/dev/null' },
    dnf: { advice: 'sudo dnf install etcd', install: 'dnf install -y -q etcd >/dev/null' },
  },
  elsewhere: ['or the archive of https://github.com/etcd-io/etcd/releases, on PATH'],
});

if (process.exitCode === undefined) ensure();

function ensure(): void {
  const isWhole = existsSync(server) && existsSync(definitions);
  if (!isWhole && allOnPath('go').length === 0) {
    console.error(
      `These tests need a kube-apiserver: it is not at ${server}, and building it needs Go (https://go.dev/dl)`,
    );
    process.exitCode = 1;
    return;
  }
  mkdirSync(folder, { recursive: true });
  // What is half done by somebody who was interrupted does not stand where it is looked for.
  if (!existsSync(definitions)) within((work) => fetchDefinitions(work));
  if (!existsSync(server)) within((work) => build(work));
  console.log(`kube-apiserver: ${server}`);
}

function within(act: (work: string) => void): void {
  const work = mkdtempSync(join(folder, 'work-'));
  try {
    act(work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function fetchDefinitions(work: string): void {
  const from = join(moduleFolder(`sigs.k8s.io/gateway-api@v${GATEWAY_API}`, work), 'config/crd/standard');
  const to = join(work, 'definitions');
  mkdirSync(to);
  for (const name of readdirSync(from))
    if (name.startsWith('gateway.')) copyFileSync(join(from, name), join(to, name));
  renameSync(to, definitions);
}

function build(work: string): void {
  console.log('kube-apiserver: building it, which takes a while, once');
  const kubernetes = moduleFolder(`k8s.io/kubernetes@v${KUBERNETES}`, work);
  writeFileSync(join(work, 'go.mod'), moduleFile(readFileSync(join(kubernetes, 'go.mod'), 'utf8')));
  copyFileSync(join(kubernetes, 'go.sum'), join(work, 'go.sum'));
  writeFileSync(join(work, 'main.go'), MAIN);
  run('go', ['mod', 'tidy', '-e'], work);
  run('nice', ['-n', '19', 'go', 'build', '-trimpath', '-ldflags', '-s -w', '-o', 'server', '.'], work);
  renameSync(join(work, 'server'), server);
}

// The modules that belong together have no versions of their own in that of the whole.
function moduleFile(text: string): string {
  const staging = `v0.${KUBERNETES.slice(2)}`;
  const own = [...text.matchAll(/^\s*(k8s\.io\/[a-z-]+) v0\.0\.0$/gm)].map(([, name]) => name);
  return [
    text
      .replace(/^module .*/m, 'module kube')
      .replace(/^replace \([^]*?^\)/m, '')
      .replace(/(k8s\.io\/[a-z-]+) v0\.0\.0$/gm, `$1 ${staging}`),
    `require k8s.io/kubernetes v${KUBERNETES}`,
    ...own.map((name) => `replace ${name} => ${name} ${staging}`),
    '',
  ].join('\n');
}

function moduleFolder(module: string, cwd: string): string {
  const { Dir } = JSON.parse(run('go', ['mod', 'download', '-json', module], cwd)) as { Dir: string };
  return Dir;
}

function run(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    env: { ...process.env, GOFLAGS: '-mod=mod' },
  });
  if (status === 0) return stdout;
  // With `-json` it says what is wrong there.
  const said = stderr.trim() || stdout.trim();
  throw new Error(`${command} ${args.join(' ')}: ${said.split('\n').slice(-10).join('\n')}`);
}
