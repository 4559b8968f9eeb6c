import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';

/** What the page adds to a configuration. */
export interface PageConfig {
  readonly upstreams: Readonly<Record<string, object>>;
  readonly routes: readonly Readonly<Record<string, unknown>>[];
}

/** Reads what the page adds to a configuration; variables in it are left for the gateway to fill in. */
export async function readPageConfig(): Promise<PageConfig> {
  return parse(await readFile(join(import.meta.dirname, 'gateway.yaml'), 'utf8')) as PageConfig;
}
