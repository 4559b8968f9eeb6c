import { existsSync, readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Turns places in the build into places in `src/`, by the source maps beside the build. */
export class SourceLines {
  readonly #maps = new Map<string, SourceMap | undefined>();

  /** `src/file.ts:line` for our code, else the shortest path that says what it is. Positions count from 0. */
  of(url: string, line: number, column: number): string {
    if (url === '' || url.startsWith('node:')) return url === '' ? '' : `${url}:${line + 1}`;
    const file = url.startsWith('file:') ? fileURLToPath(url) : url;
    const inModules = file.lastIndexOf('/node_modules/');
    if (inModules !== -1) return `${file.slice(inModules + '/node_modules/'.length)}:${line + 1}`;
    const entry = this.#mapOf(file)?.findEntry(line, column);
    const short = relative(process.cwd(), file);
    if (entry === undefined || !('originalLine' in entry)) return `${short}:${line + 1}`;
    return `${short.replace(/^dist\//, 'src/').replace(/\.js$/, '.ts')}:${entry.originalLine + 1}`;
  }

  #mapOf(file: string): SourceMap | undefined {
    if (!this.#maps.has(file)) this.#maps.set(file, read(`${file}.map`));
    return this.#maps.get(file);
  }
}

function read(mapFile: string): SourceMap | undefined {
  if (!existsSync(mapFile)) return undefined;
  return new SourceMap(JSON.parse(readFileSync(mapFile, 'utf8')) as SourceMapPayload);
}
