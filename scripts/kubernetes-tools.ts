/**
 * Where the tools are that render the chart and check what comes of it: on PATH, else below `node_modules/.cache`, where
 * `ensure-helm.ts` builds them.
 *
 * @module
 */
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { allOnPath, isCommand } from './system-package.ts';

/** The root of the repository. */
export const ROOT = join(import.meta.dirname, '..');
/** What is built and fetched; `npm ci` takes it away. */
export const TOOLS = join(ROOT, 'node_modules/.cache/gatehouse-kubernetes');
/** Schemas of Kubernetes and of the Prometheus operator, a folder for each version. */
export const SCHEMAS = join(TOOLS, 'schemas');
/** The oldest version of Kubernetes that the chart is for, and the newest that is known. */
export const KUBERNETES = ['1.33.0', '1.37.0'] as const;
/** The package that brings the schemas: those of the OpenAPI document that each release of Kubernetes publishes. */
export const SCHEMAS_PACKAGE = 'kubernetes-validate==1.37.0';
/** The module that brings the definition of a ServiceMonitor. */
export const MONITORS_MODULE = 'github.com/prometheus-operator/prometheus-operator@v0.85.0';
/** What is built by Go, by the name of its command. */
export const BUILT_BY_GO = {
  helm: 'helm.sh/helm/v3/cmd/helm@v3.22.0',
  kubeconform: 'github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0',
} as const;

/** A command of those. */
export type KubernetesTool = keyof typeof BUILT_BY_GO;

/** Where a tool is; undefined where it is not there yet. */
export function findTool(name: KubernetesTool): string | undefined {
  const own = join(TOOLS, 'bin', name);
  return allOnPath(name)[0] ?? (isCommand(own) ? own : undefined);
}

/** What a tool has said. */
export interface ToolAnswer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a tool. @throws {Error} where it is not there, with the command that brings it. */
export function runTool(name: KubernetesTool, args: readonly string[], input = ''): ToolAnswer {
  const found = findTool(name);
  if (found === undefined) throw new Error(`${name} is not there: run node scripts/ensure-helm.ts`);
  const { status, stdout, stderr, error } = spawnSync(found, args, {
    input,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    cwd: ROOT,
  });
  if (error !== undefined) throw error;
  return { status, stdout, stderr };
}
