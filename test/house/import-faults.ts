import { isForTests, type SourceImport } from './source-imports.ts';
import { TOP, type Room } from './rooms.ts';

type Rooms = Readonly<Record<string, Room>>;

/** Every import that the table does not allow, one line each, with the place and the way out. */
export function importFaults(imports: readonly SourceImport[], rooms: Rooms): string[] {
  return imports.filter(({ ours }) => ours).flatMap((one) => faultOf(one, rooms) ?? []);
}

function faultOf({ from, line, to, typeOnly }: SourceImport, rooms: Rooms): string | undefined {
  const place = `src/${from}:${line}`;
  if (to.startsWith('../')) return `${place} imports ${to.slice(3)}, which is not built`;
  if (isForTests(to)) return `${place} imports ${to}, which is for tests`;
  const room = roomOf(from, rooms);
  if (room === TOP) return undefined;
  if (room === undefined) return `${place} is in no room of test/house/rooms.ts, and so may import nothing`;
  if (room === roomOf(to, rooms)) return undefined;
  const { imports, types = [], exceptions = {} } = rooms[room] ?? { imports: [] };
  const allowed = [...imports, ...Object.keys(exceptions), ...(typeOnly ? types : [])];
  if (allows(allowed, to, rooms)) return undefined;
  return `${place} imports ${to}, but ${room}/ may import only ${allowed.join(', ') || 'nothing'}`;
}

/** Whether a list allows a file: it names the file, its room, or a folder of its room above it. */
function allows(allowed: readonly string[], file: string, rooms: Rooms): boolean {
  const room = roomOf(file, rooms);
  return allowed.some((one) => isWithin(file, one) && (one === file || roomOf(one, rooms) === room));
}

/** The row that holds for a file or folder: the longest. `undefined` where none does. */
export function roomOf(path: string, rooms: Rooms): string | undefined {
  if (!path.includes('/') && path.endsWith('.ts')) return TOP;
  return Object.keys(rooms)
    .filter((room) => isWithin(path, room))
    .toSorted((a, b) => b.length - a.length)[0];
}

function isWithin(path: string, above: string): boolean {
  return path === above || path.startsWith(`${above}/`);
}

/** Exceptions that no import needs any more. */
export function staleExceptions(imports: readonly SourceImport[], rooms: Rooms): string[] {
  return Object.entries(rooms).flatMap(([room, { exceptions = {} }]) =>
    Object.keys(exceptions)
      .filter((one) => !imports.some(({ from, to }) => roomOf(from, rooms) === room && isWithin(to, one)))
      .map((one) => `${room}/ has an exception for ${one} that nothing needs`),
  );
}

/** What the table itself gets wrong: names of no room, and rooms that lead back to themselves. */
export function tableFaults(rooms: Rooms): string[] {
  const names = Object.entries(rooms).flatMap(([room, { imports, types = [], exceptions = {} }]) =>
    [...imports, ...types, ...Object.keys(exceptions)]
      .filter((one) => roomOf(one, rooms) === undefined)
      .map((one) => `${room}/ may import ${one}, which is no room`),
  );
  const edges = new Map(
    Object.entries(rooms).map(([room, { imports }]) => [
      room,
      imports.map((one) => roomOf(one, rooms) ?? one),
    ]),
  );
  return [...names, ...cyclesIn(edges).map((cycle) => `rooms lead back to themselves: ${cycle.join(' → ')}`)];
}

/** Cycles of imports between files that are there in the built code. */
export function fileCycles(imports: readonly SourceImport[]): string[] {
  const edges = new Map<string, string[]>();
  for (const { from, to, ours, typeOnly } of imports) {
    if (ours && !typeOnly) edges.set(from, [...(edges.get(from) ?? []), to]);
  }
  return cyclesIn(edges).map((cycle) => cycle.join(' → '));
}

/** One cycle for each way back that a walk in depth meets; none if there is no cycle. */
function cyclesIn(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const path: string[] = [];
  const walk = (node: string): void => {
    const start = path.indexOf(node);
    if (start !== -1) cycles.push([...path.slice(start), node]);
    if (start !== -1 || done.has(node)) return;
    path.push(node);
    for (const next of edges.get(node) ?? []) walk(next);
    path.pop();
    done.add(node);
  };
  for (const node of edges.keys()) walk(node);
  return cycles;
}
