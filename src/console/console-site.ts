import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** A file of the built page. */
export interface SiteFile {
  readonly type: string;
  readonly etag: string;
  readonly bytes: Buffer;
  /** Packed, once for all readers, when the first one asks. */
  readonly gzip: () => Buffer;
}

/** The built page of the console. */
export interface ConsoleSite {
  /** The one page that every address of the console has. */
  readonly html: string;
  /** By their names below `assets/`, which change with their content. */
  readonly assets: ReadonlyMap<string, SiteFile>;
}

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Where `npm run build` puts the page: beside the built gateway, which is elsewhere for whoever runs the sources. */
const PLACES = ['./site/', '../../dist/console/site/'];

/** Reads the built page. @returns undefined where nobody has built it. */
export function readConsoleSite(places: readonly string[] = PLACES): ConsoleSite | undefined {
  const folder = places
    .map((place) => fileURLToPath(new URL(place, import.meta.url)))
    .find((one) => existsSync(join(one, 'index.html')));
  if (folder === undefined) return undefined;
  const assets = join(folder, 'assets');
  const files = readdirSync(assets).map((name) => [name, readSiteFile(join(assets, name))] as const);
  return { html: readFileSync(join(folder, 'index.html'), 'utf8'), assets: new Map(files) };
}

function readSiteFile(path: string): SiteFile {
  const bytes = readFileSync(path);
  const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
  const type = TYPES[extname(path)] ?? 'application/octet-stream';
  let packed: Buffer | undefined;
  return { type, etag, bytes, gzip: () => (packed ??= gzipSync(bytes)) };
}
