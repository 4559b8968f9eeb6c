import { knownMetrics, type KnownMetric } from './known-metrics.ts';

const UNITS = ['seconds', 'bytes', 'ratio'] as const;

/** The rooms that metrics are about, by what follows `gatehouse_`; the first that fits. */
const SECTIONS: readonly (readonly [string, RegExp])[] = [
  ['Requests', /^gatehouse_(?:request|response|problems|validation|grpc_calls|connections|idempotency)/],
  ['Upstreams', /^gatehouse_(?:upstream|token_exchange)/],
  ['Targets and breakers', /^gatehouse_(?:target|breaker)/],
  ['Discovery', /^gatehouse_discovery/],
  ['Kubernetes as a source', /^gatehouse_kubernetes/],
  ['Limits, quotas and overload', /^gatehouse_(?:rate_limit|quota|overload|concurrency|load)/],
  ['Who may call', /^gatehouse_(?:authorization|external|revo|damped|audit|deprecated|admin)/],
  ['Cache', /^gatehouse_cache/],
  ['Canaries and mirrors', /^gatehouse_(?:canary|mirror)/],
  ['Views, calls and GraphQL', /^gatehouse_(?:view|call|graphql)/],
  ['WebSockets', /^gatehouse_(?:open_sockets|socket)/],
  ['Configuration and certificates', /^gatehouse_(?:config|certificate)/],
  ['Store and replicas', /^gatehouse_(?:store|replicas)/],
  ['Workers', /^gatehouse_worker/],
  ['Traces', /^gatehouse_spans/],
  ['The process and its metrics', /./],
];

/** The page of all metrics that a gateway can have. */
export async function metricsPage(): Promise<string> {
  const left = new Set(await knownMetrics());
  const sections = SECTIONS.map(([title, names]) => {
    const mine = [...left].filter(({ name }) => names.test(name));
    for (const one of mine) left.delete(one);
    return section(title, mine);
  });
  return `# Metrics

<!-- Generated from what the gateway registers by \`npm run generate\`. -->

All metrics at \`/metrics\` of the [operators' listener](operations.md#the-operators-listener). Some are there only where something
is used: Redis, discovery, a cache. How they are scraped, bounded, shown and alerted on: [observability](observability.md). With
[workers](workers.md), gauges have the label \`worker\` as well.
${sections.join('')}`;
}

function section(title: string, metrics: readonly KnownMetric[]): string {
  if (metrics.length === 0) return '';
  const rows = metrics.map(
    ({ name, type, labels, help }) =>
      `| \`${name}\` | ${type} | ${unitOf(name)} | ${labels.map((one) => `\`${one}\``).join(', ')} | ${cell(help)} |`,
  );
  return `\n## ${title}\n\n| Metric | Type | Unit | Labels | |\n| --- | --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

function unitOf(name: string): string {
  const base = name.replace(/_total$/, '');
  return UNITS.find((unit) => base.endsWith(`_${unit}`)) ?? '';
}

function cell(help: string): string {
  return help.replaceAll('|', String.raw`\|`);
}
