import { readFileSync } from 'node:fs';
import { Session, type Debugger } from 'node:inspector';
import { SourceMap, type SourceMapping } from 'node:module';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getCallSites } from 'node:util';

/** A place in code as the engine knows it, before anybody asks for the file that it was written in. */
export interface CodeSite {
  readonly scriptId: string;
  /** 1-based, as is the column. */
  readonly line: number;
  readonly column: number;
}

/** A place in a text that somebody wrote. */
export interface CodePlace {
  /** Relative to the working directory where it lies below it. */
  readonly file: string;
  /** 1-based. */
  readonly line: number;
}

const OWN = dirname(import.meta.dirname);
const TEAM = [resolve(OWN, 'routes'), '.spec.', '.fixture.'];
const FRAMES = 16;

/** Where the code of a team stands that has called the gateway's; undefined when nobody of a team has. */
export function siteOfTeam(): CodeSite | undefined {
  const site = getCallSites(FRAMES).find(({ scriptName }) => isOfTeam(scriptName));
  return site && { scriptId: site.scriptId, line: site.lineNumber, column: site.columnNumber };
}

function isOfTeam(script: string): boolean {
  const path = pathOf(script);
  return path !== undefined && (!path.startsWith(OWN) || TEAM.some((part) => path.includes(part)));
}

function pathOf(script: string): string | undefined {
  if (script.startsWith('file:')) return fileURLToPath(script);
  return isAbsolute(script) ? script : undefined;
}

/**
 * Finds where sites, functions and classes were written, by what the engine and source maps know. It asks the debugger of
 * the process, which is slow: for faults only.
 *
 * @returns in the order of what was asked; undefined for what nobody can tell.
 */
export function placesOf(
  asked: readonly (CodeSite | object | undefined)[],
): readonly (CodePlace | undefined)[] {
  if (asked.every((one) => one === undefined)) return asked as readonly undefined[];
  const session = new Session();
  try {
    session.connect();
    const scripts = new Map<string, Debugger.ScriptParsedEventDataType>();
    session.on('Debugger.scriptParsed', ({ params }) => scripts.set(params.scriptId, params));
    session.post('Debugger.enable');
    const sites = asked.map((one) => (typeof one === 'function' ? siteOf(one, session) : (one as CodeSite)));
    return sites.map((site, index) => {
      const place = site && placeOf(site, scripts.get(site.scriptId));
      return place && (ofClass(asked[index], place) ?? place);
    });
  } catch {
    // A runtime without a debugger: the names of classes have to do.
    return asked.map(() => undefined);
  } finally {
    session.disconnect();
  }
}

// Compilers map the members of a class, and hardly ever the class.
function ofClass(target: unknown, { file }: CodePlace): CodePlace | undefined {
  if (typeof target !== 'function' || !/^class\b/.test(Function.prototype.toString.call(target)))
    return undefined;
  const head = new RegExp(`\\bclass ${target.name}\\b`);
  try {
    const index = readFileSync(file, 'utf8')
      .split('\n')
      .findIndex((line) => head.test(line));
    return index === -1 ? undefined : { file, line: index + 1 };
  } catch {
    return undefined;
  }
}

const HANDOVER = Symbol.for('gatehouse:handover');

/** Where a function or a class begins. The debugger finds it in whichever context it lives in. */
function siteOf(target: object, session: Session): CodeSite | undefined {
  const room = globalThis as { [HANDOVER]?: object };
  room[HANDOVER] = target;
  const contexts: number[] = [];
  const hear = ({ params }: { params: { context: { id: number } } }): void =>
    void contexts.push(params.context.id);
  session.on('Runtime.executionContextCreated', hear);
  session.post('Runtime.enable');
  try {
    for (const contextId of contexts) {
      const site = siteIn(contextId, session);
      if (site !== undefined) return site;
    }
    return undefined;
  } finally {
    session.off('Runtime.executionContextCreated', hear);
    session.post('Runtime.disable');
    delete room[HANDOVER];
  }
}

function siteIn(contextId: number, session: Session): CodeSite | undefined {
  let site: CodeSite | undefined;
  const expression = `globalThis[Symbol.for('gatehouse:handover')]`;
  // Both are answered before `post` returns.
  session.post('Runtime.evaluate', { expression, contextId }, (_, evaluated) => {
    const { objectId } = evaluated?.result ?? {};
    if (objectId === undefined) return;
    session.post('Runtime.getProperties', { objectId, ownProperties: true }, (__, found) => {
      const location = found?.internalProperties?.find(({ name }) => name === '[[FunctionLocation]]')?.value
        ?.value as Debugger.Location | undefined;
      if (location === undefined) return;
      const { scriptId, lineNumber, columnNumber = 0 } = location;
      site = { scriptId, line: lineNumber + 1, column: columnNumber + 1 };
    });
  });
  return site;
}

function placeOf(
  { line, column }: CodeSite,
  script: Debugger.ScriptParsedEventDataType | undefined,
): CodePlace | undefined {
  const path = script && pathOf(script.url);
  if (script === undefined || path === undefined) return undefined;
  const written = writtenAt(path, script.sourceMapURL, line, column);
  return written ?? { file: shown(path), line };
}

function writtenAt(
  path: string,
  url: string | undefined,
  line: number,
  column: number,
): CodePlace | undefined {
  const payload = url === undefined || url === '' ? undefined : mapAt(path, url);
  if (payload === undefined) return undefined;
  const entry = new SourceMap(payload).findEntry(line - 1, column - 1);
  const { originalSource, originalLine } = entry as Partial<SourceMapping>;
  if (originalSource === undefined || originalLine === undefined) return undefined;
  const source = pathOf(originalSource) ?? resolve(dirname(path), payload.sourceRoot ?? '', originalSource);
  return { file: shown(source), line: originalLine + 1 };
}

type Payload = ConstructorParameters<typeof SourceMap>[0];

function mapAt(path: string, url: string): Payload | undefined {
  const [, data] = /^data:application\/json[^,]*;base64,(.*)$/s.exec(url) ?? [];
  try {
    const text = data === undefined ? readFileSync(resolve(dirname(path), url)) : Buffer.from(data, 'base64');
    return JSON.parse(text.toString()) as Payload;
  } catch {
    return undefined;
  }
}

function shown(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith('..') || isAbsolute(near) ? path : near;
}
