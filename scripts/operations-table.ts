import { built } from './built.ts';

const BEGIN = '<!-- operations -->';
const END = '<!-- /operations -->';

/** A page with the table of all operations of the operators' listener, as their routes are registered, between its marks. */
export async function withOperations(page: string): Promise<string> {
  const [start, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`the page lacks ${BEGIN} and ${END}`);
  const rows = (await operations()).map(
    ({ method, path, config: { operation, role, summary } }) =>
      `| \`${method} ${path}\` | \`${operation}\` | ${role} | ${summary} |`,
  );
  const table = ['| Request | Operation | Role | |', '| --- | --- | --- | --- |', ...rows].join('\n');
  return `${page.slice(0, start + BEGIN.length)}\n\n${table}\n\n${page.slice(end)}`;
}

async function operations() {
  const { AdminListener } = await built<typeof import('../src/admin/admin.listener.ts')>('admin/admin.listener'); // prettier-ignore
  const { readEnvironment } = await built<typeof import('../src/config/env.schema.ts')>('config/env.schema');
  const { createLogger } = await built<typeof import('../src/telemetry/logger.ts')>('telemetry/logger');
  const { Metrics } = await built<typeof import('../src/telemetry/metrics.ts')>('telemetry/metrics');
  // Routes are registered without looking at what they tell of.
  const nothing = {} as never;
  const orders = { logger: createLogger('silent') } as never;
  const listener = new AdminListener(readEnvironment({}), new Metrics(), nothing, nothing, orders);
  const all = [...listener.operations];
  await listener.close();
  return all.toSorted((one, other) => Number(one.path > other.path) - Number(one.path < other.path));
}
