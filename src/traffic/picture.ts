import type { Snapshots } from '../snapshot/snapshots.ts';
import type { Flows } from '../telemetry/flows.ts';
import type { History } from './history.ts';
import { firstOf } from './slices.ts';
import { shown } from './numbers.ts';
import type { ListedRow, RouteRows } from './route-rows.ts';
import type { FlowNumbers, FlowState, PictureAnswer, PictureNode } from './traffic-answers.ts';
import { targetRow, upstreamRow } from './upstream-rows.ts';

/** Boxes of a column. */
export const MOST_BOXES = 40;
const MOST_GROUPED = 1000;
const WORST = 12;
const BADNESS: Readonly<Record<FlowState, number>> = { failing: 4, slow: 3, refusing: 2, well: 1, idle: 0 };

/** What the picture is made of. */
export interface PictureDeps {
  readonly snapshots: Snapshots;
  readonly flows: Flows;
  readonly history: History;
  readonly rows: RouteRows;
}

/** A box of the left column, and the routes that it stands for. */
interface Box {
  readonly node: PictureNode;
  readonly members: readonly ListedRow[];
}

/** Routes, upstreams and targets, as far as they fit a screen. */
export class Picture {
  readonly #deps: PictureDeps;

  constructor(deps: PictureDeps) {
    this.#deps = deps;
  }

  /** @param select the id of a box: only what it has to do with is shown then. */
  async draw(select?: string): Promise<PictureAnswer> {
    const { snapshots, flows, history, rows } = this.#deps;
    const { rows: all } = await rows.table();
    const wanted = await selected(all, select);
    const of = modeOf(wanted.length, select);
    const boxes = await this.#boxes(of, wanted);
    const upstreams = snapshots.current.upstreams.all();
    const asked = new Set(boxes.flatMap(({ members }) => members.flatMap(({ name }) => name.upstreams)));
    const isNeighbour = (name: string): boolean =>
      select === undefined || asked.has(name) || select === `u:${name}`;
    const middle = await firstOf(
      upstreams.filter(({ name }) => isNeighbour(name)).map((one) => upstreamRow(one, flows, history)),
      worseFirst,
      MOST_BOXES,
    );
    const names = new Set(middle.map(({ upstream }) => upstream));
    const shownTargets = upstreams.filter(({ name }) => names.has(name));
    const count = shownTargets.reduce((sum, { targets }) => sum + targets.length, 0);
    const right = (
      count <= MOST_BOXES ? shownTargets : shownTargets.filter(({ name }) => select === `u:${name}`)
    )
      .flatMap(({ name, targets }) =>
        targets.map((one) => ({ name, row: targetRow(name, one, flows, history) })),
      )
      .slice(0, MOST_BOXES);
    return {
      of,
      routes: boxes.map(({ node }) => node),
      upstreams: middle.map((row) => nodeOf(`u:${row.upstream}`, row.upstream, row)),
      targets: right.map(({ name, row }) => nodeOf(`t:${name}/${row.target}`, row.target, row)),
      edges: [
        ...boxes.flatMap((box) => edgesOf(box, names)),
        ...right.map(
          ({ name, row }) => [`u:${name}`, `t:${name}/${row.target}`, row.rps, row.state] as const,
        ),
      ],
    };
  }

  async #boxes(of: PictureAnswer['of'], wanted: readonly ListedRow[]): Promise<readonly Box[]> {
    if (of === 'routes') return wanted.map(boxOf);
    if (of === 'search') return (await firstOf(wanted, worseFirst, WORST)).map(boxOf);
    const members = new Map<string, ListedRow[]>();
    for (const row of wanted) {
      const group = members.get(row.group);
      if (group === undefined) members.set(row.group, [row]);
      else group.push(row);
    }
    const { rows } = await this.#deps.rows.table('60s', true);
    const groups = rows.flatMap((row) => {
      const ofGroup = members.get(row.group);
      if (ofGroup === undefined) return [];
      const node = nodeOf(`g:${row.group}`, row.group, row);
      return [{ node: { ...node, members: ofGroup.length }, members: ofGroup }];
    });
    return folded(groups);
  }
}

// The worst ones, then the largest, and one box for all others.
function folded(groups: readonly Box[]): readonly Box[] {
  if (groups.length <= MOST_BOXES) return groups;
  const worst = groups.toSorted((one, other) => worseFirst(one.node, other.node)).slice(0, WORST);
  const rest = groups
    .filter((one) => !worst.includes(one))
    .toSorted((one, other) => other.members.length - one.members.length);
  const shownRest = rest.slice(0, MOST_BOXES - WORST - 1);
  const others = rest.slice(MOST_BOXES - WORST - 1);
  const members = others.flatMap((one) => one.members);
  const rps = shown(others.reduce((sum, { node }) => sum + node.rps, 0));
  const state = others.reduce<FlowState>((bad, { node }) => worseOf(bad, node.state), 'idle');
  const node = {
    id: 'g:…more',
    label: `${others.length} more`,
    rps,
    errorRate: 0,
    p95: null,
    state,
    members: members.length,
  };
  return [...worst, ...shownRest, { node, members }];
}

function modeOf(count: number, select: string | undefined): PictureAnswer['of'] {
  if (count <= MOST_BOXES) return 'routes';
  return count <= MOST_GROUPED || select !== undefined ? 'groups' : 'search';
}

async function selected(
  all: readonly ListedRow[],
  select: string | undefined,
): Promise<readonly ListedRow[]> {
  if (select === undefined) return all.filter(({ id, state }) => id !== '(none)' || state !== 'idle');
  const [kind, name] = [select.slice(0, 2), select.slice(2)];
  if (kind === 'r:') return all.filter(({ id }) => id === name);
  if (kind === 'g:') return all.filter(({ group }) => group === name);
  const upstream = kind === 't:' ? name.slice(0, name.indexOf('/')) : name;
  return all.filter((row) => row.name.upstreams.includes(upstream));
}

function boxOf(row: ListedRow): Box {
  return { node: nodeOf(`r:${row.id}`, row.id, row), members: [row] };
}

function nodeOf(id: string, label: string, { rps, errorRate, p95, state }: FlowNumbers): PictureNode {
  return { id, label, rps, errorRate, p95, state };
}

function edgesOf({ node, members }: Box, upstreams: ReadonlySet<string>): PictureAnswer['edges'] {
  const edges = new Map<string, { rps: number; state: FlowState }>();
  for (const { name, rps, state } of members)
    for (const upstream of name.upstreams) {
      if (!upstreams.has(upstream)) continue;
      const edge = edges.get(upstream) ?? { rps: 0, state: 'idle' };
      edges.set(upstream, { rps: edge.rps + rps, state: worseOf(edge.state, state) });
    }
  return [...edges].map(([upstream, { rps, state }]) => [node.id, `u:${upstream}`, shown(rps), state]);
}

function worseOf(one: FlowState, other: FlowState): FlowState {
  return BADNESS[one] >= BADNESS[other] ? one : other;
}

/** What is worse comes first, and of equals what is asked for more. */
export function worseFirst(
  one: Pick<FlowNumbers, 'rps' | 'state'>,
  other: Pick<FlowNumbers, 'rps' | 'state'>,
): number {
  return BADNESS[other.state] - BADNESS[one.state] || other.rps - one.rps;
}
