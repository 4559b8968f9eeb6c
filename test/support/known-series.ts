import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** One rule of Prometheus. */
export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
}

/** The files of rules that are shipped. */
export const RULE_FILES = ['recording.rules.yaml', 'alerts.rules.yaml'].map((file) =>
  join('deploy/prometheus', file),
);

/** All of their rules. */
export const rules: readonly Rule[] = RULE_FILES.flatMap((file) =>
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

/** Labels that whoever scrapes adds, that a page of several workers has, and that buckets have. */
const EVERYWHERE = ['job', 'instance', 'worker', 'le'];
const OF_HISTOGRAM = /_(?:bucket|sum|count)$/;

/** Metrics that an expression asks for, that nobody has. */
export function unknownIn(expression: string): readonly string[] {
  const names = expression.match(/\b(?:\w+:)?(?:gatehouse|process|nodejs)_\w+(?::\w+)?/g) ?? [];
  return names.filter((name) => {
    if (recorded.has(name) || known.has(name)) return false;
    return known.get(name.replace(OF_HISTOGRAM, ''))?.type !== 'histogram';
  });
}

/** Labels in the selectors of an expression that their metric does not have. */
export function strangeLabels(expression: string): readonly string[] {
  return [...expression.matchAll(/(\w+)\{([^}]*)\}/g)].flatMap(([, name = '', selector = '']) => {
    const labels = labelsOf(name);
    if (labels === undefined) return [];
    const asked = [...selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label);
    return asked.filter((label) => ![...labels, ...EVERYWHERE].includes(label));
  });
}

/** Labels by which an expression groups, that none of its metrics has. */
export function strangeGroups(expression: string): readonly string[] {
  const names = expression.match(/\b(?:gatehouse|process|nodejs)_\w+/g) ?? [];
  // What is recorded has the labels of its own expression, which is looked at by itself.
  if (names.some((name) => labelsOf(name) === undefined)) return [];
  const labels = [...names.flatMap((name) => labelsOf(name) ?? []), ...EVERYWHERE];
  const grouped = [...expression.matchAll(/\bby\s*\(([^)]*)\)/g)].flatMap(
    ([, list = '']) => list.match(/\w+/g) ?? [],
  );
  return grouped.filter((label) => !labels.includes(label));
}

function labelsOf(name: string): readonly string[] | undefined {
  return known.get(name)?.labels ?? known.get(name.replace(OF_HISTOGRAM, ''))?.labels;
}
