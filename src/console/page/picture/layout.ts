import type { FlowState, PictureAnswer, PictureNode } from '../data/traffic.ts';

/** A node with its place. */
export interface Box {
  readonly node: PictureNode;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** A line from box to box. */
export interface Wire {
  readonly key: string;
  readonly from: string;
  readonly to: string;
  readonly path: string;
  readonly width: number;
  readonly state: FlowState;
}

/** The picture with all places. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly columns: readonly { readonly title: string; readonly x: number }[];
  readonly boxes: readonly Box[];
  readonly wires: readonly Wire[];
}

/** Height of a box. */
export const BOX_HEIGHT = 38;
const STEP = BOX_HEIGHT + 6;
const TOP = 26;
const WIDTH = 1120;
const COLUMNS = [
  { title: 'Routes', x: 0, width: 330 },
  { title: 'Upstreams', x: 430, width: 280 },
  { title: 'Targets', x: 810, width: 310 },
] as const;

/**
 * Three columns, routes to upstreams to targets, each ordered by where its lines come from. Places depend on what there is and never on
 * traffic, so that nothing moves while somebody looks.
 */
export function layoutOf({ routes, upstreams, targets, edges }: PictureAnswer): Layout {
  const lists = [routes, byOrigin(upstreams, routes, edges), targets];
  lists[2] = byOrigin(targets, lists[1] ?? [], edges);
  const most = Math.max(1, ...lists.map(({ length }) => length));
  const boxes = lists.flatMap((list, i) => placed(list, COLUMNS[i] ?? COLUMNS[0], most));
  const places = new Map(boxes.map((box) => [box.node.id, box]));
  const wires = edges.flatMap(([from, to, rps, state]) => {
    const [a, b] = [places.get(from), places.get(to)];
    return a && b ? [{ key: `${from} ${to}`, from, to, path: curve(a, b), width: strength(rps), state }] : [];
  });
  return { width: WIDTH, height: TOP + most * STEP, columns: COLUMNS, boxes, wires };
}

function placed(list: readonly PictureNode[], column: { x: number; width: number }, most: number): Box[] {
  const above = ((most - list.length) * STEP) / 2;
  return list.map((node, i) => ({ node, x: column.x, y: TOP + above + i * STEP, width: column.width }));
}

/** Orders nodes by the mean place of those that lead to them; names settle what is equal. */
export function byOrigin(
  nodes: readonly PictureNode[],
  origins: readonly PictureNode[],
  edges: PictureAnswer['edges'],
): PictureNode[] {
  const places = new Map(origins.map(({ id }, i) => [id, i]));
  const mean = new Map(
    nodes.map(({ id }) => {
      const found = edges.filter(([, to]) => to === id).flatMap(([from]) => places.get(from) ?? []);
      const sum = found.reduce((all, one) => all + one, 0);
      return [id, found.length === 0 ? Number.MAX_SAFE_INTEGER : sum / found.length] as const;
    }),
  );
  const placeOf = ({ id }: PictureNode): number => mean.get(id) ?? 0;
  return nodes.toSorted((a, b) => placeOf(a) - placeOf(b) || (a.label < b.label ? -1 : 1));
}

function curve(a: Box, b: Box): string {
  const [x1, y1] = [a.x + a.width, a.y + BOX_HEIGHT / 2];
  const [x2, y2] = [b.x, b.y + BOX_HEIGHT / 2];
  const bend = (x2 - x1) / 2;
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}

// Ten times the requests are one and a half pixels more.
function strength(rps: number): number {
  return Number(Math.min(8, 1.25 + Math.log10(1 + rps) * 1.6).toFixed(2));
}

/** What a selection leaves bright: it and everything that it is connected with, left and right. */
export function neighbourhood(id: string, wires: readonly Pick<Wire, 'from' | 'to'>[]): ReadonlySet<string> {
  const found = new Set([id]);
  const spread = (one: string, [here, there]: readonly ['from' | 'to', 'from' | 'to']): void => {
    for (const wire of wires)
      if (wire[here] === one && !found.has(wire[there])) {
        found.add(wire[there]);
        spread(wire[there], [here, there]);
      }
  };
  spread(id, ['from', 'to']);
  spread(id, ['to', 'from']);
  return found;
}
