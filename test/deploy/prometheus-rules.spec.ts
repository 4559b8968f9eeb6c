import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { METRIC_SOURCES } from '../../scripts/known-metrics.ts';
import { RULE_FILES, rules, strangeGroups, strangeLabels, unknownIn } from '../support/known-series.ts';
import { promtool } from '../support/promtool.ts';

const FOLDER = 'deploy/prometheus';
const TESTS = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.test.yaml'))
  .map((file) => join(FOLDER, file));

describe('what finds fault', () => {
  it('with names and labels that are not there', () => {
    expect(unknownIn('rate(gatehouse_requests_total[5m]) / gatehouse_nothing_total')).toEqual([
      'gatehouse_nothing_total',
    ]);
    expect(unknownIn('gatehouse_requests_total_bucket')).toEqual(['gatehouse_requests_total_bucket']);
    expect(unknownIn('gatehouse_request_duration_seconds_bucket')).toEqual([]);
    expect(unknownIn('route:gatehouse_requests:rate9m')).toEqual(['route:gatehouse_requests:rate9m']);
    expect(strangeLabels('gatehouse_requests_total{job="a",status="5xx"}')).toEqual(['status']);
    expect(strangeGroups('sum by (code, status) (rate(gatehouse_requests_total[5m]))')).toEqual(['status']);
    expect(strangeGroups('sum by (job, le, status) (gatehouse_request_duration_seconds_bucket)')).toEqual([]);
  });
});

describe('the rules of Prometheus', () => {
  it('are what promtool takes for rules, and do what their tests say', () => {
    expect(promtool(['check', 'rules', ...RULE_FILES]).status).toBe(0);
    const { status, said } = promtool(['test', 'rules', ...TESTS]);
    expect([status, said.match(/SUCCESS/g)?.length]).toEqual([0, TESTS.length]);
    // The token is made where it is used.
    const config = ['check', 'config', '--syntax-only', 'deploy/prometheus/prometheus.yaml'];
    expect(promtool(config).status).toBe(0);
  });

  it.each(rules.map((rule) => [rule.record ?? rule.alert ?? '', rule.expr]))(
    '%s asks for what there is',
    (_, expr) => {
      expect([unknownIn(expr), strangeLabels(expr), strangeGroups(expr)]).toEqual([[], [], []]);
    },
  );

  it('have a test for each alert', () => {
    const tests = TESTS.map((file) => readFileSync(file, 'utf8')).join('');
    const untested = rules.flatMap(({ alert }) =>
      alert && !tests.includes(`alertname: ${alert}\n`) ? [alert] : [],
    );
    expect(untested).toEqual([]);
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
