import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
/** Written anew by every build. */
const BUILT = 'dist/cli/main.js';
/** No part of a build: specs, and the console, which has a build of its own. */
const OUTSIDE = /\.(spec|fixture)\.ts$|\.d\.ts$|^console[\\/]page/;

/**
 * Says on standard error when the sources of a checkout are newer than its build, so that nobody tries an old one without
 * knowing. A package has no sources, and its check ends at once.
 *
 * @param {string} root
 * @returns {boolean} whether there is anything to run.
 */
export function noticeStaleBuild(root = ROOT) {
  const built = statSync(join(root, BUILT), { throwIfNoEntry: false });
  if (built === undefined) {
    console.error('gatehouse: there is no build in dist/; run `npm run build`');
    return false;
  }
  const newer = sources(join(root, 'src')).find((file) => {
    return statSync(join(root, 'src', file), { throwIfNoEntry: false })?.mtimeMs > built.mtimeMs;
  });
  if (newer !== undefined)
    console.error(
      `gatehouse: warning: this is an old build, src/${newer} is newer than dist/; run \`npm run build\``,
    );
  return true;
}

function sources(folder) {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
      (file) => file.endsWith('.ts') && !OUTSIDE.test(file),
    );
  } catch {
    return [];
  }
}
