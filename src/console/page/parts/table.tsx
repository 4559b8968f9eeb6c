import type { ComponentChildren, JSX } from 'preact';
import { Icon } from './icon.tsx';
import { hrefWith } from '../app/address.ts';

/** A column of a table. */
export interface Column<Row> {
  readonly key: string;
  readonly title: string;
  /** Aligned by its digits. */
  readonly numeric?: boolean;
  /** Takes the room that is left, and cuts what is too long; heads the row. */
  readonly main?: boolean;
  /** Left out where there is little room. */
  readonly secondary?: boolean;
  /** The key to sort by, if one can. `-` before it: the greatest first, as one would want it. */
  readonly sort?: string;
  readonly cell: (row: Row) => ComponentChildren;
}

interface TableProps<Row> {
  /** What it lists; read aloud, not shown. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  /** As in the address: `-p95`. Absent: cannot be sorted. */
  readonly sort?: string;
}

/** A table whose rows are walked with the arrow keys, and whose order is in the address. */
export function Table<Row>({ caption, columns, rows, keyOf, sort }: TableProps<Row>): JSX.Element {
  return (
    <div class="scroll" tabIndex={-1}>
      <table onKeyDown={walk}>
        <caption class="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <Heading key={column.key} column={column} sort={sort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)} class="row">
              {columns.map((column) => (
                <Cell key={column.key} column={column} row={row} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function classOf<Row>({ numeric, main, secondary }: Column<Row>): string {
  return [numeric && 'numeric', main && 'main', secondary && 'secondary'].filter(Boolean).join(' ');
}

function Cell<Row>({ column, row }: { readonly column: Column<Row>; readonly row: Row }): JSX.Element {
  if (column.main)
    return (
      <th scope="row" class={classOf(column)}>
        {column.cell(row)}
      </th>
    );
  return <td class={classOf(column)}>{column.cell(row)}</td>;
}

function Heading<Row>({
  column,
  sort,
}: {
  readonly column: Column<Row>;
  readonly sort: string | undefined;
}): JSX.Element {
  const { title, sort: by } = column;
  if (by === undefined || sort === undefined)
    return (
      <th scope="col" class={classOf(column)}>
        {title}
      </th>
    );
  const isSorted = bare(by) === bare(sort);
  const isFalling = sort.startsWith('-');
  const next = isSorted ? (isFalling ? bare(sort) : `-${sort}`) : by;
  const order = isFalling ? 'descending' : 'ascending';
  return (
    <th scope="col" class={classOf(column)} aria-sort={isSorted ? order : undefined}>
      <a class="sort" href={hrefWith({ sort: next, from: undefined })}>
        {title}
        {isSorted && <Icon name={isFalling ? 'down' : 'up'} />}
      </a>
    </th>
  );
}

const bare = (sort: string): string => sort.replace(/^-/, '');

/** Up and down go from row to row, to the first link of each. */
function walk(event: KeyboardEvent): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const row = event.target instanceof Element ? event.target.closest('tbody tr') : null;
  const next = event.key === 'ArrowDown' ? row?.nextElementSibling : row?.previousElementSibling;
  const link = next?.querySelector<HTMLElement>('a, button');
  if (!link) return;
  event.preventDefault();
  link.focus();
}
