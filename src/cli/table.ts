const GAP = '  ';

/**
 * Renders rows as text columns, with the names of their fields on top. On a terminal that is too narrow for that each row is a
 * block under its first field.
 *
 * @param place where it is shown. Default: as wide as it takes.
 */
export function renderTable<Row extends object>(
  rows: readonly Row[],
  place: { readonly columns?: number | undefined } = {},
): string {
  const first = rows[0];
  if (first === undefined) return 'no routes\n';
  const names = Object.keys(first) as (keyof Row & string)[];
  const lines = [
    names.map((name) => name.toUpperCase()),
    ...rows.map((row) => names.map((name) => String(row[name]))),
  ];
  const widths = names.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const table = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join(GAP)
      .trimEnd(),
  );
  const isTooWide = table.some(({ length }) => length > (place.columns ?? Infinity));
  return (isTooWide ? blocks(lines) : table).join('\n').concat('\n');
}

function blocks([names = [], ...rows]: readonly (readonly string[])[]): readonly string[] {
  const width = Math.max(...names.slice(1).map(({ length }) => length));
  return rows.flatMap(([first = '', ...cells]) => [
    first,
    ...cells.map((cell, at) => `${GAP}${(names[at + 1] ?? '').padEnd(width)}${GAP}${cell}`.trimEnd()),
  ]);
}
