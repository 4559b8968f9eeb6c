/**
 * Writes `deploy/kubernetes`, plain manifests for who has no Helm: the chart, rendered with values of its examples. `--check` only
 * compares.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KUBERNETES, ROOT } from './kubernetes-tools.ts';
import { manifestsOf } from './render-chart.ts';

const stale = ['minimal', 'production'].filter((name) => {
  const file = `deploy/kubernetes/${name}.yaml`;
  const text = manifestsOf(name, KUBERNETES[1]);
  if (textOf(file) === text) return false;
  if (!process.argv.includes('--check')) writeFileSync(join(ROOT, file), text);
  return true;
});
if (stale.length > 0) {
  const isCheck = process.argv.includes('--check');
  const done = isCheck ? 'stale, run `node scripts/kubernetes-manifests.ts`' : 'written';
  console.log(`deploy/kubernetes: ${stale.join(', ')}: ${done}`);
  process.exitCode = isCheck ? 1 : 0;
}

function textOf(file: string): string {
  try {
    return readFileSync(join(ROOT, file), 'utf8');
  } catch {
    return '';
  }
}
