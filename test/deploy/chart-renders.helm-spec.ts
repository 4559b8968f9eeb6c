import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cpSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KUBERNETES, runTool, SCHEMAS } from '../../scripts/kubernetes-tools.ts';
import { CHART, manifestsOf, renderChart } from '../../scripts/render-chart.ts';
import { configText, manifestsIn, PLAIN, PLAIN_FILES } from './manifests.ts';

const EXAMPLES = readdirSync(join(CHART, 'examples'));
const LOCATION = `${SCHEMAS}/{{ .NormalizedKubernetesVersion }}/{{ .ResourceKind }}{{ .KindSuffix }}.json`;

function conform(text: string, version: string): ReturnType<typeof runTool> {
  const args = ['-strict', '-summary', '-kubernetes-version', version, '-schema-location', LOCATION, '-'];
  return runTool('kubeconform', args, text);
}

const rendered = (example: string, version: string): ReturnType<typeof runTool> =>
  renderChart(['--values', join(CHART, 'examples', example)], version);

it('passes helm lint, with and without values', () => {
  for (const more of [[], ...EXAMPLES.map((name) => ['--values', join(CHART, 'examples', name)])]) {
    const { status, stdout } = runTool('helm', [
      'lint',
      CHART,
      '--strict',
      '--kube-version',
      KUBERNETES[1],
      ...more,
    ]);
    expect(stdout).toContain('1 chart(s) linted, 0 chart(s) failed');
    expect(status).toBe(0);
  }
});

describe.each(KUBERNETES)('for Kubernetes %s', (version) => {
  it.each(EXAMPLES)('%s renders what the API takes', (example) => {
    const { status, stdout, stderr } = rendered(example, version);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const said = conform(stdout, version);
    expect(said.stdout).toMatch(/Invalid: 0, Errors: 0, Skipped: 0/);
    expect(said.status).toBe(0);
  });

  it('a key that the API does not know would be seen', () => {
    const { stdout } = rendered('production.yaml', version);
    for (const [key, wrong] of [
      ['minReadySeconds:', 'minReadySecond:'],
      ['whenUnsatisfiable:', 'whenUnsatisfied:'],
      ['unhealthyPodEvictionPolicy:', 'evictionPolicy:'],
      ['jobLabel:', 'joblabel:'],
    ] as const) {
      const { status, stdout: said } = conform(stdout.replace(key, wrong), version);
      expect(said).toContain(`'${wrong.slice(0, -1)}' not allowed`);
      expect(status).toBe(1);
    }
  });
});

it('the plain manifests are what the chart makes today', () => {
  for (const name of PLAIN_FILES)
    expect(readFileSync(join(PLAIN, name), 'utf8')).toBe(
      manifestsOf(name.replace('.yaml', ''), KUBERNETES[1]),
    );
});

it('a release of another name has its own names, and finds its own pods', () => {
  const { stdout } = runTool('helm', ['template', 'edge', CHART, '--kube-version', KUBERNETES[1], '--values', join(CHART, 'examples/minimal.yaml')]); // prettier-ignore
  const names = new Set(manifestsIn(stdout).map(({ metadata }) => metadata.name));
  expect(names).toEqual(new Set(['edge-gatehouse', 'edge-gatehouse-config', 'edge-gatehouse-test']));
});

describe('the notes', () => {
  let folder: string;
  // Helm shows them to who has a cluster only: here an object holds them.
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-notes-'));
    cpSync(CHART, folder, { recursive: true });
    renameSync(join(folder, 'templates/NOTES.txt'), join(folder, 'notes.txt'));
    const shown = 'kind: ConfigMap\nmetadata: { name: notes }\ndata:\n  notes: |2\n';
    writeFileSync(
      join(folder, 'templates/notes.yaml'),
      `${shown}{{ tpl (.Files.Get "notes.txt") . | indent 4 }}\n`,
    );
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function notes(...values: readonly string[]): string {
    const args = ['template', 'gatehouse', folder, '--namespace', 'edge', '--kube-version', KUBERNETES[1]];
    const set = ['--set-file', 'config.text=config/gateway.yaml', ...values.flatMap((one) => ['--set', one])];
    const { stdout, stderr } = runTool('helm', [...args, ...set, '--show-only', 'templates/notes.yaml']);
    expect(stderr).toBe('');
    return configText(manifestsIn(stdout), 'notes') ?? '';
  }

  it('say how it is reached, and how it ends', () => {
    const said = notes('replicaCount=1');
    expect(said).toContain('helm test gatehouse -n edge');
    expect(said).toContain('it is killed after 56 s');
    expect(said).toContain('port-forward deploy/gatehouse 9080:9080');
    expect(said).not.toContain('WARNING');
  });

  it('warn of what is open', () => {
    const said = notes(
      'networkPolicy.enabled=false',
      'redis.required=false',
      'admin.exposed=true',
      'admin.tokensSecret.name=tokens',
      'podSecurityContext.runAsNonRoot=false',
    );
    for (const warning of [
      'let the gateway run as root',
      'travel in the clear',
      'there is no Redis',
      'networkPolicy.enabled is off',
    ])
      expect(said).toMatch(new RegExp(`WARNING: .*${warning}`));
  });
});
