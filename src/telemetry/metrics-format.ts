/** How metrics are written: in the text format of Prometheus, or as OpenMetrics 1.0. */
export type MetricsFormat = 'text' | 'openmetrics';

/** The content types of both. */
export const METRICS_TYPES: Readonly<Record<MetricsFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

const WEIGHT = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/;
/** Most specific first (RFC 9110 section 12.5.1). */
const RANGES: Readonly<Record<MetricsFormat, readonly string[]>> = {
  text: ['text/plain', 'text/*', '*/*'],
  openmetrics: ['application/openmetrics-text'],
};
const OPENMETRICS_VERSIONS: ReadonlySet<string> = new Set(['1.0.0', '0.0.1']);

/**
 * Chooses the format of a scrape by `Accept` (RFC 9110 section 12.5.1). OpenMetrics has to be named: whoever takes anything,
 * such as a person with curl, gets the text format, and so does whoever takes neither, for a refusal would help nobody.
 */
export function metricsFormat(accept: string | undefined): MetricsFormat {
  if (accept === undefined) return 'text';
  const weights = new Map<string, number>();
  for (const element of accept.toLowerCase().split(',')) {
    const [range = '', ...parameters] = element.split(';').map((part) => part.trim());
    if (!isKnownVersion(range, parameters)) continue;
    weights.set(range, Math.max(weights.get(range) ?? 0, weightOf(parameters)));
  }
  const wish = (format: MetricsFormat): number => {
    const range = RANGES[format].find((one) => weights.has(one));
    return range === undefined ? 0 : (weights.get(range) ?? 0);
  };
  // Of equal ones the one that can say more: exemplars.
  return wish('openmetrics') > 0 && wish('openmetrics') >= wish('text') ? 'openmetrics' : 'text';
}

function isKnownVersion(range: string, parameters: readonly string[]): boolean {
  if (range !== 'application/openmetrics-text') return true;
  const version = parameters.find((one) => one.startsWith('version='))?.slice('version='.length);
  return version === undefined || OPENMETRICS_VERSIONS.has(version.replaceAll('"', ''));
}

// What cannot be read is not wanted.
function weightOf(parameters: readonly string[]): number {
  const text = parameters.find((one) => one.startsWith('q='))?.slice(2) ?? '1';
  return WEIGHT.test(text) ? Number(text) : 0;
}
