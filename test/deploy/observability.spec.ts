import { describe, expect, it } from '@jest/globals';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { METRIC_SOURCES } from '../../scripts/known-metrics.ts';
import { promtool } from '../support/promtool.ts';

const DASHBOARDS = 'deploy/grafana/dashboards';
const RULES = ['recording.rules.yaml', 'alerts.rules.yaml'].map((file) => join('deploy/prometheus', file));

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
}
interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
  readonly targets: readonly { readonly expr: string }[];
}
interface Dashboard {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

const rules = RULES.flatMap((file) =>
  (parse(readFileSync(file, 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
    (group) => group.rules,
  ),
);
const recorded = new Set(rules.flatMap(({ record }) => record ?? []));
/** Metrics as the generated page has them. */
const known = new Map(
  [...readFileSync('docs/metrics.md', 'utf8').matchAll(/^\| `(\w+)`\s*\| (\w+)\s*\|[^|]*\|([^|]*)\|/gm)].map(
    ([, name = '', type = '', labels = '']) => [name, { type, labels: labels.match(/\w+/g) ?? [] }] as const,
  ),
);
const dashboards = readdirSync(DASHBOARDS).map(
  (file) => JSON.parse(readFileSync(join(DASHBOARDS, file), 'utf8')) as Dashboard,
);

/** Metrics that an expression asks for, that nobody has. */
function unknownIn(expression: string): readonly string[] {
  const names = expression.match(/\b(?:\w+:)?(?:gatehouse|process|nodejs)_\w+(?::\w+)?/g) ?? [];
  return names.filter((name) => {
    if (recorded.has(name) || known.has(name)) return false;
    const base = name.replace(/_(?:bucket|sum|count)$/, '');
    return known.get(base)?.type !== 'histogram';
  });
}

/** Labels in the selectors of an expression that their metric does not have. */
function strangeLabels(expression: string): readonly string[] {
  return [...expression.matchAll(/(\w+)\{([^}]*)\}/g)].flatMap(([, name = '', selector = '']) => {
    const labels = known.get(name)?.labels ?? known.get(name.replace(/_(?:bucket|sum|count)$/, ''))?.labels;
    if (labels === undefined) return [];
    const asked = [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label);
    return asked.filter((label) => ![...labels, 'job', 'instance', 'worker', 'le'].includes(label));
  });
}

describe('what finds fault', () => {
  it('with names and labels that are not there', () => {
    expect(unknownIn('rate(gatehouse_requests_total[5m]) / gatehouse_nothing_total')).toEqual([
      'gatehouse_nothing_total',
    ]);
    expect(unknownIn('gatehouse_requests_total_bucket')).toEqual(['gatehouse_requests_total_bucket']);
    expect(unknownIn('gatehouse_request_duration_seconds_bucket')).toEqual([]);
    expect(unknownIn('route:gatehouse_requests:rate9m')).toEqual(['route:gatehouse_requests:rate9m']);
    expect(strangeLabels('gatehouse_requests_total{job="a",status="5xx"}')).toEqual(['status']);
  });
});

describe('the rules of Prometheus', () => {
  it('are what promtool takes for rules, and do what their tests say', () => {
    expect(promtool(['check', 'rules', ...RULES]).status).toBe(0);
    const { status, said } = promtool(['test', 'rules', 'deploy/prometheus/alerts.test.yaml']);
    expect([status, said]).toEqual([0, expect.stringContaining('SUCCESS')]);
    // The token is made where it is used.
    const config = ['check', 'config', '--syntax-only', 'deploy/prometheus/prometheus.yaml'];
    expect(promtool(config).status).toBe(0);
  });

  it.each(rules.map((rule) => [rule.record ?? rule.alert ?? '', rule.expr]))(
    '%s asks for what there is',
    (_, expr) => {
      expect([unknownIn(expr), strangeLabels(expr)]).toEqual([[], []]);
    },
  );

  it('have a test for each alert', () => {
    const tests = readFileSync('deploy/prometheus/alerts.test.yaml', 'utf8');
    const untested = rules.flatMap(({ alert }) =>
      alert && !tests.includes(`alertname: ${alert}\n`) ? [alert] : [],
    );
    expect(untested).toEqual([]);
  });
});

describe('dashboards', () => {
  it('are five, each with a name of its own', () => {
    expect(new Set(dashboards.map(({ uid }) => uid)).size).toBe(5);
  });

  it.each(dashboards.map((one) => [one.uid, one] as const))(
    '%s asks for what there is',
    (_, { panels, templating }) => {
      const asked = [
        ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
        ...templating.list.flatMap(({ definition }) => definition ?? []),
      ];
      expect(asked.flatMap(unknownIn)).toEqual([]);
      expect(asked.flatMap(strangeLabels)).toEqual([]);
      const variables = new Set(templating.list.map(({ name }) => `$${name}`));
      const used = new Set(asked.flatMap((one) => one.match(/\$\w+/g) ?? []));
      for (const one of used) expect([...variables, '$__rate_interval']).toContain(one);
    },
  );

  it.each(dashboards.map((one) => [one.uid, one] as const))(
    '%s has expressions that Prometheus reads',
    (uid, { panels }) => {
      const folder = mkdtempSync(join(tmpdir(), 'gatehouse-expressions-'));
      const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
      const filled = expressions.map((expr, index) => ({
        record: `panel:e${index}`,
        expr: expr.replaceAll('$__rate_interval', '5m'),
      }));
      const file = join(folder, 'rules.yaml');
      writeFileSync(file, JSON.stringify({ groups: [{ name: uid, rules: filled }] }));
      const { status, said } = promtool(['check', 'rules', file]);
      rmSync(folder, { recursive: true });
      expect([status, said]).toEqual([0, expect.stringContaining('SUCCESS')]);
    },
  );

  it.each(dashboards.map((one) => [one.uid, one] as const))(
    '%s has panels beside each other',
    (_, { panels }) => {
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      const taken = new Set<string>();
      for (const { gridPos, title } of panels) {
        expect([title, gridPos.x + gridPos.w <= 24]).toEqual([title, true]);
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
            expect([title, taken.has(`${x} ${y}`)]).toEqual([title, false]);
            taken.add(`${x} ${y}`);
          }
      }
    },
  );
});

describe('the compose profile observability', () => {
  const { services, volumes } = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as {
    services: Record<string, { profiles?: string[]; volumes?: string[]; depends_on?: string[] | object }>;
    volumes: Record<string, unknown>;
  };
  const mine = Object.entries(services).filter(([, { profiles }]) => profiles?.includes('observability'));

  it('starts Prometheus, Grafana, a collector and Tempo', () => {
    expect(mine.map(([name]) => name).toSorted()).toEqual([
      'grafana',
      'otel-collector',
      'prometheus',
      'tempo',
    ]);
  });

  it.each(mine)('%s mounts what there is, and waits for whom there is', (_, service) => {
    for (const volume of service.volumes ?? []) {
      const [from = ''] = volume.split(':');
      expect([from, from.startsWith('./') ? existsSync(from) : from in volumes]).toEqual([from, true]);
    }
    const { depends_on: others = [] } = service;
    for (const other of Array.isArray(others) ? others : Object.keys(others))
      expect(Object.keys(services)).toContain(other);
  });

  it('scrapes the gateways that there are', () => {
    const text = readFileSync('deploy/prometheus/prometheus.yaml', 'utf8');
    const targets = text.match(/[\w-]+(?=:\d+')/g) ?? [];
    expect(targets).toEqual(['gateway-1', 'gateway-2', 'gateway-3', 'otel-collector']);
    for (const one of targets) expect(Object.keys(services)).toContain(one);
  });
});

it('the page of metrics has those of every file that makes some', () => {
  const makers = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter(
    (file) =>
      /(?<!\.spec|\.fixture)\.ts$/.test(file) &&
      !file.startsWith('telemetry/') &&
      /new (?:Counter|Gauge|Histogram|LabelCounter|ReadGauge|DurationHistogram)[(<]/.test(
        readFileSync(join('src', file), 'utf8'),
      ),
  );
  expect(makers.map((file) => file.replace(/\.ts$/, '')).toSorted()).toEqual(
    Object.keys(METRIC_SOURCES).toSorted(),
  );
});
