import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';
import { valuesOf } from '../../scripts/chart-values.ts';
import { environmentSchema } from '../../src/config/env.schema.ts';
import { FILED_VARIABLES } from '../../src/config/filed-variables.ts';

const CHART = 'deploy/helm/gatehouse';
/** What it scales on besides CPU. */
const METRIC = 'gatehouse_requests_in_flight';
const text = (file: string): string => readFileSync(`${CHART}/${file}`, 'utf8');
const VALUES = parse(text('values.yaml')) as Readonly<Record<string, unknown>>;

interface Schema {
  readonly $ref?: string;
  readonly type?: unknown;
  readonly additionalProperties?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
}
const SCHEMA = JSON.parse(text('values.schema.json')) as Schema & { readonly $defs: Record<string, Schema> };

function followed(schema: Schema): Schema {
  return schema.$ref === undefined ? schema : (SCHEMA.$defs[schema.$ref.replace('#/$defs/', '')] as Schema);
}

/** Keys that one of both has and the other has not. */
function differing(value: unknown, schema: Schema | undefined, at: string): readonly string[] {
  if (schema === undefined) return [`${at}: not in the schema`];
  const { properties, additionalProperties } = followed(schema);
  if (properties === undefined || typeof value !== 'object' || value === null || Array.isArray(value))
    return [];
  const known = value as Readonly<Record<string, unknown>>;
  if (additionalProperties !== false) return [`${at}: keys that are not known are let in`];
  return [
    ...Object.keys(known).flatMap((key) => differing(known[key], properties[key], `${at}.${key}`)),
    // Of probes and resources not every key has a default.
    ...Object.keys(properties).flatMap((key) =>
      key in known || key === 'global' || /probes|resources|Context/.test(at)
        ? []
        : [`${at}.${key}: no default`],
    ),
  ];
}

it('has the version of the gateway', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { readonly version: string };
  expect(parse(text('Chart.yaml'))).toMatchObject({ version, appVersion: version });
});

it('grants in its example of routes from a cluster what the plain rights grant', () => {
  const { rbac } = parse(text('examples/gateway-api.yaml')) as { rbac: Record<string, unknown> };
  const plain = parseAllDocuments(readFileSync('deploy/kubernetes/gateway-api/rbac.yaml', 'utf8')).map(
    (document) => document.toJS() as { readonly kind: string; readonly rules: unknown },
  );
  const rulesOf = (kind: string): unknown => plain.find((one) => one.kind === kind)?.rules;
  expect(rbac).toEqual({ create: true, rules: rulesOf('Role'), clusterRules: rulesOf('ClusterRole') });
});

describe('its values', () => {
  it('are those of its schema, which knows no others', () => {
    expect(differing(VALUES, SCHEMA, '')).toEqual([]);
  });

  it('are all explained in its README', () => {
    const page = text('README.md');
    const values = valuesOf(text('values.yaml'));
    expect(values.length).toBeGreaterThan(80);
    for (const { key } of values) expect(page).toContain(`| \`${key}\``);
  });

  it('are used by its templates, each of them', () => {
    const templates = ['_helpers.tpl', '_checks.tpl', '_pod.tpl', 'configmap.yaml', 'deployment.yaml', 'hpa.yaml', 'networkpolicy.yaml', 'pdb.yaml', 'rbac.yaml', 'service.yaml', 'serviceaccount.yaml', 'servicemonitor.yaml', 'NOTES.txt'].map((name) => text(`templates/${name}`)).join('\n'); // prettier-ignore
    const unused = valuesOf(text('values.yaml')).filter(({ key }) => {
      const name = key.split('.').at(-1) ?? '';
      return !new RegExp(`\\.${name}\\b`).test(templates);
    });
    expect(unused.map(({ key }) => key)).toEqual([]);
  });
});

describe('its variables', () => {
  const pod = text('templates/_pod.tpl');
  const set = [...pod.matchAll(/\{ name: ([A-Z_]+),/g)].map(([, name = '']) => name);

  it('are known to the gateway', () => {
    expect(set.length).toBeGreaterThan(20);
    expect(set.filter((name) => !(name in environmentSchema.shape))).toEqual([]);
  });

  it('are the ones that `env` may not set', () => {
    const [, own = ''] = /ownVariables" -\}\}\n([A-Z_ ]+)\n/.exec(text('templates/_checks.tpl')) ?? [];
    expect(own.split(' ').toSorted()).toEqual([...new Set(set)].toSorted());
  });

  it('never hold a secret', () => {
    expect(FILED_VARIABLES).toContain('REDIS_URL');
    const said = [...pod.matchAll(/\{ name: ([A-Z_]*(?:PASSWORD|TOKEN|SECRET|KEY)[A-Z_]*),/g)];
    for (const [, name = ''] of said) expect(name).toMatch(/_FILE$/);
  });
});

it('scales on a metric that the gateway has', () => {
  expect(text('templates/hpa.yaml')).toContain(`name: ${METRIC} }`);
  expect(readFileSync('docs/metrics.md', 'utf8')).toContain(`| \`${METRIC}\``);
  expect(readFileSync('docs/kubernetes.md', 'utf8')).toContain(METRIC);
});
