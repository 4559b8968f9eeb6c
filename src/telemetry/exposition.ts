import type { Exemplar, MetricFamily, MetricValue } from './metric-family.ts';
import type { MetricsFormat } from './metrics-format.ts';

const TOTAL = '_total';
/** OpenMetrics 1.0: what the names and values of an exemplar's labels may have together, in characters. */
const MOST_EXEMPLAR_CHARACTERS = 128;

/** The head of a family. OpenMetrics names counters without what their samples end with. */
export function headText({ name, help, type }: Omit<MetricFamily, 'values'>, format: MetricsFormat): string {
  const isCounter = type === 'counter' && name.endsWith(TOTAL);
  const family = format === 'openmetrics' && isCounter ? name.slice(0, -TOTAL.length) : name;
  const said = format === 'openmetrics' ? escaped(help).replaceAll('"', String.raw`\"`) : escaped(help);
  return `# HELP ${family} ${said}\n# TYPE ${family} ${type}\n`;
}

/** The lines of some series of one family. */
export function linesText(name: string, values: readonly MetricValue[], format: MetricsFormat): string {
  let text = '';
  for (const { metricName = name, labels, value, exemplar } of values) {
    text += `${metricName}${labelsText(labels)} ${numberText(value)}`;
    text += exemplar !== undefined && format === 'openmetrics' ? `${exemplarText(exemplar)}\n` : '\n';
  }
  return text;
}

/** What a page ends with: a reader of OpenMetrics knows by it that nothing is missing. */
export function endText(format: MetricsFormat): string {
  return format === 'openmetrics' ? '# EOF\n' : '';
}

function exemplarText({ labelSet, value, timestamp }: Exemplar): string {
  const characters = Object.entries(labelSet).reduce(
    (sum, [name, text]) => sum + name.length + text.length,
    0,
  );
  if (characters > MOST_EXEMPLAR_CHARACTERS) return '';
  return ` # ${labelsText(labelSet) || '{}'} ${numberText(value)} ${timestamp.toFixed(3)}`;
}

function labelsText(labels: MetricValue['labels']): string {
  let text = '';
  for (const name in labels) {
    const value = String(labels[name]);
    text += `${text === '' ? '{' : ','}${name}="${MUST_ESCAPE.test(value) ? escaped(value).replaceAll('"', String.raw`\"`) : value}"`;
  }
  return text === '' ? '' : `${text}}`;
}

const MUST_ESCAPE = /["\\\n]/;

function numberText(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : Number.isNaN(value) ? 'NaN' : String(value);
}

function escaped(text: string): string {
  return text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`);
}
