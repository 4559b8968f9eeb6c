import type { JSX } from 'preact';
import type { PictureAnswer, PictureNode } from '../data/traffic.ts';
import { count, duration, percent } from '../data/format.ts';
import { Flow } from '../parts/state.tsx';
import { pageOf } from './page-of.ts';

/** A row of the tree: what stands where in it. */
export interface TreeRow {
  readonly key: string;
  readonly level: 1 | 2 | 3;
  readonly node: PictureNode;
}

/** The picture as a tree in a table: targets under upstreams under routes. */
export function PictureTable({ picture }: { readonly picture: PictureAnswer }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Traffic as a table">
      <table role="treegrid" aria-label="Routes, their upstreams and their targets">
        <thead>
          <tr>
            <th scope="col">Route, upstream, target</th>
            <th scope="col">State</th>
            <th scope="col" class="numeric">
              Requests/s
            </th>
            <th scope="col" class="numeric">
              Failed
            </th>
            <th scope="col" class="numeric">
              p95
            </th>
          </tr>
        </thead>
        <tbody>
          {treeOf(picture).map((row) => (
            <Row key={row.key} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ row: { level, node } }: { readonly row: TreeRow }): JSX.Element {
  const page = pageOf(node.id);
  return (
    <tr class="row" aria-level={level}>
      <th scope="row" style={{ paddingLeft: `${14 + (level - 1) * 20}px` }}>
        {page ? <a href={page.href}>{node.label}</a> : node.label}
      </th>
      <td>
        <Flow is={node.state} />
      </td>
      <td class="numeric">{count(node.rps)}</td>
      <td class="numeric">{percent(node.errorRate)}</td>
      <td class="numeric">{duration(node.p95)}</td>
    </tr>
  );
}

/** The rows of the tree, each route with what lies behind it; what no route leads to comes last. */
export function treeOf({ routes, upstreams, targets, edges }: PictureAnswer): TreeRow[] {
  const nodes = new Map([...upstreams, ...targets].map((node) => [node.id, node]));
  const next = (id: string): PictureNode[] =>
    edges.filter(([from]) => from === id).flatMap(([, to]) => nodes.get(to) ?? []);
  const below = (node: PictureNode, level: 1 | 2 | 3, above: string): TreeRow[] => [
    { key: `${above}/${node.id}`, level, node },
    ...(level === 3 ? [] : next(node.id).flatMap((one) => below(one, level === 1 ? 2 : 3, node.id))),
  ];
  const led = new Set(edges.map(([, to]) => to));
  const alone = upstreams.filter(({ id }) => !led.has(id));
  return [...routes, ...alone].flatMap((node) => below(node, 1, ''));
}
