import { isAbsolute, relative } from 'node:path';

/** A path as whoever works in this folder would say it. */
export function shownPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith('..') || isAbsolute(near) ? path : near;
}
