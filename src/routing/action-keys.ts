import type { z } from 'zod';
import type { RouteConfig } from './gateway.schema.ts';
import { sourceOf } from './read-routes.ts';
import type { ActionSource } from './route-action.ts';

type Route = Readonly<Record<string, unknown>>;
/** What only one upstream can be asked for. */
const OF_UPSTREAMS = ['retry', 'hedge', 'subset', 'subsetFallback'] as const;

type Context = z.core.$RefinementCtx<unknown>;

/**
 * Checks that the keys of a route make one kind of route: its own are there, and none of another kind's. Fails closed:
 * of two things that a route could answer with, nobody can tell which one its owner meant to protect.
 */
export function checkAction(route: Route, context: Context, sources: readonly ActionSource[]): void {
  const source = sourceOf(route, sources);
  if (source === undefined) return;
  checkMatch(route, context, source, sources);
  const fault = (path: readonly (string | number)[], message: string): void =>
    context.addIssue({ code: 'custom', path: [...path], message });
  for (const key of foreignKeys(source, sources)) {
    if (route[key] === undefined) continue;
    fault([key], `expected no \`${key}\` beside \`${source.key ?? 'upstream'}\`: ${source.alone}`);
  }
  if (source.hasUpstream && route['upstream'] === undefined) {
    const others = sources.filter((one) => !one.hasUpstream).map(({ key }) => `\`${key ?? ''}\``);
    const instead = others.map((key, at) => (at === 0 ? `or ${key} in its place` : `or ${key}`));
    fault(['upstream'], `missing key; expected ${['the name of an upstream', ...instead].join(', ')}`);
  }
  if (route['identity'] !== undefined && source.passesFields !== true)
    fault(
      ['identity'],
      `expected no \`identity\` beside \`${source.key ?? ''}\`: no header fields of clients pass`,
    );
  for (const key of OF_UPSTREAMS) {
    if (source.hasUpstream || route[key] === undefined) continue;
    fault([key], `expected no \`${key}\` beside \`${source.key ?? ''}\`: ${source.alone}`);
  }
  const other = source.check?.(route as RouteConfig);
  if (other !== undefined) fault(other.path, other.message);
}

function checkMatch(
  route: Route,
  context: Context,
  source: ActionSource,
  all: readonly ActionSource[],
): void {
  if ((route['match'] === undefined) === (source.matchless !== undefined)) return;
  const instead = all.filter(({ matchless }) => matchless !== undefined);
  const keys = instead.map(({ key }) => `, or \`${key ?? ''}\` instead of it: `);
  const message = `expected \`match\`${keys.join('')}${instead.map(({ matchless }) => matchless).join()}`;
  context.addIssue({ code: 'custom', path: ['match'], message });
}

function foreignKeys(source: ActionSource, sources: readonly ActionSource[]): readonly string[] {
  const foreign = sources.filter((one) => one !== source).flatMap(({ keys }) => Object.keys(keys));
  return source.hasUpstream ? foreign : ['upstream', ...foreign];
}
