import { runTool } from './kubernetes-tools.ts';

/** The chart, from the root of the repository. */
export const CHART = 'deploy/helm/gatehouse';
const NAMESPACE = 'gatehouse';

/** Renders the chart as `helm install gatehouse` would. @param more arguments, such as `--values FILE`. */
export function renderChart(
  more: readonly string[],
  version: string,
  input = '',
): ReturnType<typeof runTool> {
  const args = ['template', 'gatehouse', CHART, '--namespace', NAMESPACE, '--kube-version', version];
  return runTool('helm', [...args, ...more], input);
}

/** The manifests of an example, without what only Helm goes by. @throws {Error} with what Helm says. */
export function manifestsOf(example: string, version: string): string {
  const values = `${CHART}/examples/${example}.yaml`;
  const { status, stdout, stderr } = renderChart(['--skip-tests', '--values', values], version);
  if (status !== 0) throw new Error(stderr);
  const lines = stdout
    .split('\n')
    .filter((line) => !/^# Source: |^ +helm\.sh\/chart: |^ +app\.kubernetes\.io\/managed-by: /.test(line))
    // Where a template has left nothing of a line.
    .map((line) => line.trimEnd());
  return `# Rendered from ${CHART} with examples/${example}.yaml by \`node scripts/kubernetes-manifests.ts\`: do not edit.
# kubectl create namespace ${NAMESPACE}, then the Secrets that it names (docs/kubernetes.md), then kubectl apply -f this file.
${lines.join('\n')}`;
}
