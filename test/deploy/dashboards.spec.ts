import { describe, expect, it } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { strangeGroups, strangeLabels, unknownIn } from '../support/known-series.ts';
import { promtool } from '../support/promtool.ts';

const FOLDER = 'deploy/grafana/dashboards';
const COLUMNS = 24;

/** Whoever imports a dashboard chooses the data source: none has an id of its own. */
const chosen = z.strictObject({ type: z.literal('prometheus'), uid: z.literal('${datasource}') });
const variable = z.union([
  z.looseObject({ name: z.literal('datasource'), type: z.literal('datasource'), query: z.literal('prometheus') }),
  z.looseObject({
    name: z.string().regex(/^\w+$/),
    type: z.literal('query'),
    datasource: chosen,
    query: z.strictObject({ query: z.string(), refId: z.string() }),
    definition: z.string(),
    refresh: z.union([z.literal(1), z.literal(2)]),
    allValue: z.literal('.*'),
  }),
]); // prettier-ignore
const panel = z.looseObject({
  id: z.int().min(1),
  type: z.enum(['timeseries', 'stat', 'table', 'gauge', 'bargauge', 'heatmap', 'row', 'text']),
  title: z.string().min(1),
  datasource: chosen,
  gridPos: z.strictObject({
    x: z.int().min(0),
    y: z.int().min(0),
    w: z.int().min(1).max(COLUMNS),
    h: z.int().min(1),
  }),
  fieldConfig: z.looseObject({
    defaults: z.looseObject({ unit: z.string() }),
    overrides: z.array(z.unknown()),
  }),
  options: z.looseObject({}),
  targets: z
    .array(
      z.looseObject({
        refId: z.string().regex(/^[A-Z]$/),
        datasource: chosen,
        expr: z.string().min(1),
        legendFormat: z.string().optional(),
      }),
    )
    .min(1),
});
/** What Grafana's documentation says of the JSON of a dashboard ("Dashboard JSON model"), as far as ours use it. */
const dashboard = z.strictObject({
  uid: z.string().regex(/^[\w-]{1,40}$/),
  title: z.string().min(1),
  tags: z.array(z.string()),
  schemaVersion: z.int().min(36),
  version: z.int(),
  editable: z.boolean(),
  timezone: z.enum(['browser', 'utc', '']),
  refresh: z.string().regex(/^\d+[smh]$/),
  time: z.strictObject({ from: z.string(), to: z.string() }),
  graphTooltip: z.union([z.literal(0), z.literal(1), z.literal(2)]),
  annotations: z.looseObject({ list: z.array(z.unknown()) }),
  links: z.array(z.looseObject({ title: z.string(), type: z.enum(['link', 'dashboards']) })),
  templating: z.strictObject({ list: z.array(variable) }),
  panels: z.array(panel).min(1),
});

const files = readdirSync(FOLDER);
const dashboards = files.map((file) => {
  const text = readFileSync(join(FOLDER, file), 'utf8');
  return [file, dashboard.parse(JSON.parse(text))] as const;
});
type Panel = z.output<typeof panel>;
type Dashboard = z.output<typeof dashboard>;

const queriesOf = ({ templating }: Dashboard): readonly string[] =>
  templating.list.flatMap((one) => ('definition' in one ? [String(one.definition)] : []));
const expressionsOf = ({ panels }: Dashboard): readonly string[] =>
  panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));

/** Panels that lie on others, or stand out at the right. */
function misplaced(panels: readonly Panel[]): readonly string[] {
  return panels.flatMap(({ title, gridPos: at }, index) => {
    const isOut = at.x + at.w > COLUMNS;
    const under = panels
      .slice(0, index)
      .filter(({ gridPos: b }) => at.x < b.x + b.w && b.x < at.x + at.w && at.y < b.y + b.h && b.y < at.y + at.h);
    return isOut || under.length > 0 ? [title] : [];
  });
} // prettier-ignore

it('are five, each with a name of its own, and its file called so', () => {
  expect(dashboards.map(([file, { uid }]) => file === `${uid}.json`)).toEqual([true, true, true, true, true]);
  expect(new Set(dashboards.map(([, { uid }]) => uid)).size).toBe(5);
});

it('what finds fault with places does so', () => {
  const at = (x: number, y: number, w: number): Panel =>
    ({ title: `${x} ${y}`, gridPos: { x, y, w, h: 8 } }) as Panel;
  expect(misplaced([at(0, 0, 12), at(12, 0, 12), at(0, 8, 24)])).toEqual([]);
  expect(misplaced([at(0, 0, 12), at(11, 7, 12), at(20, 20, 5)])).toEqual(['11 7', '20 20']);
});

describe.each(dashboards)('%s', (_, one) => {
  const { panels, templating } = one;

  it('asks for what there is, by labels that it has', () => {
    const asked = [...expressionsOf(one), ...queriesOf(one)];
    expect(asked.flatMap(unknownIn)).toEqual([]);
    expect(asked.flatMap(strangeLabels)).toEqual([]);
    expect(asked.flatMap(strangeGroups)).toEqual([]);
  });

  it('uses the variables that it has, and has those that it uses', () => {
    const names = templating.list.map(({ name }) => name);
    const text = JSON.stringify([panels, templating]);
    const used = new Set([...text.matchAll(/\$\{?(\w+)\}?/g)].map(([, name]) => name));
    expect(
      [...used].filter((name) => !names.includes(String(name)) && !String(name).startsWith('__')),
    ).toEqual([]);
    expect(names.filter((name) => !used.has(name))).toEqual([]);
    expect(names).toContain('datasource');
  });

  it('has panels beside each other, with ids and letters of their own', () => {
    expect(misplaced(panels)).toEqual([]);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { targets } of panels)
      expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
  });

  it('shows in legends what its expressions leave', () => {
    const strange = panels.flatMap(({ targets }) =>
      targets.flatMap(({ expr, legendFormat = '' }) => {
        const kept = [...expr.matchAll(/\bby\s*\(([^)]*)\)/g)].flatMap(([, list = '']) => list.match(/\w+/g) ?? []);
        const shown = [...legendFormat.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map(([, label = '']) => label);
        return kept.length === 0 ? [] : shown.filter((label) => !kept.includes(label));
      }),
    );
    expect(strange).toEqual([]);
  }); // prettier-ignore
});

it('all have expressions that Prometheus reads', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-expressions-'));
  const groups = dashboards.map(([name, one]) => ({
    name,
    rules: expressionsOf(one).map((expr, index) => ({
      record: `panel:e${index}`,
      labels: { dashboard: name },
      expr: expr.replaceAll('$__rate_interval', '5m'),
    })),
  }));
  const file = join(folder, 'rules.yaml');
  writeFileSync(file, JSON.stringify({ groups }));
  const { status, said } = promtool(['check', 'rules', file]);
  rmSync(folder, { recursive: true });
  expect([status, said]).toEqual([0, expect.stringContaining('SUCCESS')]);
});
