import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchCase } from './cases.ts';
import { stopChild } from './children.ts';
import { load } from './load.ts';
import { loadOf } from './measure.ts';
import type { BenchOptions } from './options.ts';
import { SourceLines } from './source-lines.ts';
import type { Stand } from './stand.ts';

const SHOWN_FUNCTIONS = 30;
const SHOWN_OWNERS = 14;
/** Not work: nobody would gain anything from making it faster. */
const IDLE = new Set(['(idle)', '(root)']);

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** The format that `node --cpu-prof` writes. */
interface CpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame }[];
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
  /** Microseconds on the monotonic clock. */
  readonly startTime: number;
}

/** Runs the gateway of a case, or its twin, under the CPU profiler and tells where its time goes once it is warm. */
export async function profile(one: BenchCase, stand: Stand, options: BenchOptions): Promise<string> {
  if (one.needsRedis && stand.redisUrl === undefined) throw new Error('there is no redis-server');
  const folder = join(stand.folder, 'profile');
  mkdirSync(folder);
  const flags = ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=500'];
  const start = options.profileTwin ? stand.startTwin(one.twin, flags) : stand.startGateway(one, flags);
  const subject = await start;
  await load(options.loadTool, loadOf(one, stand, subject, options.warmUpSeconds));
  const from = nowUs();
  const { requests } = await load(
    options.loadTool,
    loadOf(one, stand, subject, options.seconds * options.rounds),
  );
  const to = nowUs();
  await stopChild(subject.child);
  const [file] = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'));
  if (file === undefined) throw new Error('the process left no profile');
  return report(one, JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile, {
    from,
    to,
    requests,
  });
}

function report(
  one: BenchCase,
  recorded: CpuProfile,
  part: { from: number; to: number; requests: number },
): string {
  const frames = new Map(recorded.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const lines = new SourceLines();
  const byFunction = new Map<string, number>();
  const byOwner = new Map<string, number>();
  let now = recorded.startTime;
  let total = 0;
  recorded.samples.forEach((id, i) => {
    now += recorded.timeDeltas[i] ?? 0;
    const frame = frames.get(id);
    // The time up to the next sample is the time of this one.
    const selfUs = recorded.timeDeltas[i + 1] ?? 0;
    if (frame === undefined || now < part.from || now > part.to || IDLE.has(frame.functionName)) return;
    total += selfUs;
    add(
      byFunction,
      `${frame.functionName || '(anonymous)'}  ${lines.of(frame.url, frame.lineNumber, frame.columnNumber)}`,
      selfUs,
    );
    add(byOwner, ownerOf(frame), selfUs);
  });
  const show = (times: Map<string, number>, count: number): string =>
    [...times]
      .sort(([, a], [, b]) => b - a)
      .slice(0, count)
      .map(
        ([name, us]) =>
          `${(us / part.requests).toFixed(2).padStart(7)}  ${((100 * us) / total).toFixed(1).padStart(5)} %  ${name}`,
      )
      .join('\n');
  return [
    `${one.title}: ${(total / part.requests).toFixed(1)} us per request on the main thread, profiler included`,
    `\nSelf time by owner (us per request)\n${show(byOwner, SHOWN_OWNERS)}`,
    `\nSelf time by function (us per request)\n${show(byFunction, SHOWN_FUNCTIONS)}`,
  ].join('\n');
}

function ownerOf({ url, functionName }: CallFrame): string {
  if (url === '') return functionName.startsWith('(') ? functionName : 'V8 built-ins';
  const inModules = url.lastIndexOf('/node_modules/');
  if (inModules !== -1) {
    const [scope = '', name = ''] = url.slice(inModules + '/node_modules/'.length).split('/');
    return scope.startsWith('@') ? `${scope}/${name}` : scope;
  }
  if (!url.includes('/dist/')) return url.split('/')[0] ?? url;
  return `gatehouse ${url
    .slice(url.indexOf('/dist/') + '/dist/'.length)
    .split('/')
    .slice(0, -1)
    .join('/')}`;
}

function add(times: Map<string, number>, key: string, us: number): void {
  times.set(key, (times.get(key) ?? 0) + us);
}

function nowUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
