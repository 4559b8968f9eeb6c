import { isMap, isScalar, parseDocument, type Pair, type YAMLMap } from 'yaml';

const BEGIN = '<!-- values -->';
const END = '<!-- /values -->';
const SAID = /^ ?-- /;

/** A value of a chart, as its README shows it. */
export interface ChartValue {
  readonly key: string;
  readonly usual: unknown;
  readonly means: string;
}

/**
 * The values of a chart, in their order: each has a comment before it that begins with `--`. What has one is shown as a whole, what
 * has none is looked into.
 *
 * @throws {Error} naming a value that nobody explains.
 */
export function valuesOf(text: string): readonly ChartValue[] {
  const { contents } = parseDocument(text);
  if (!isMap(contents)) throw new Error('values: expected a map');
  return valuesIn(contents, '');
}

function valuesIn(map: YAMLMap, before: string): readonly ChartValue[] {
  return map.items.flatMap((pair: Pair, index): readonly ChartValue[] => {
    const { key, value } = pair;
    if (!isScalar(key)) return [];
    const name = `${before}${String(key.value)}`;
    // That of the first key of a map belongs to the map.
    const comment = key.commentBefore ?? (index === 0 ? map.commentBefore : undefined);
    const means = comment
      ?.split('\n')
      .findLast((line) => SAID.test(line))
      ?.replace(SAID, '');
    if (means !== undefined) {
      const usual = (value as { toJSON?(): unknown } | null)?.toJSON?.() ?? null;
      return [{ key: name, usual, means }];
    }
    if (isMap(value)) return valuesIn(value, `${name}.`);
    throw new Error(`values: ${name} has no comment that begins with --`);
  });
}

/** A page with the table of values between its marks. */
export function withValues(page: string, values: string): string {
  const [start, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`the page lacks ${BEGIN} and ${END}`);
  const rows = valuesOf(values).map(
    ({ key, usual, means }) => `| \`${key}\` | ${shown(usual)} | ${means.replaceAll('|', '\\|')} |`,
  );
  const table = ['| Value | Default | Means |', '| --- | --- | --- |', ...rows].join('\n');
  return `${page.slice(0, start + BEGIN.length)}\n\n${table}\n\n${page.slice(end)}`;
}

function shown(value: unknown): string {
  return value === '' ? 'none' : `\`${JSON.stringify(value).replaceAll('|', '\\|')}\``;
}
