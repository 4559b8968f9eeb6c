import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf } from './children.ts';
import { onPath } from './machine.ts';

/** The request of a case. */
export interface LoadRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One round of load. */
export interface LoadOptions {
  readonly origin: string;
  /** Whether it speaks HTTP/2, which the load tools do not. */
  readonly isHttp2: boolean;
  readonly request: LoadRequest;
  /** Bearer tokens that the requests take turns with; empty for none. */
  readonly tokens: readonly string[];
  readonly connections: number;
  readonly seconds: number;
  readonly core: number | undefined;
  /** For files of this run. */
  readonly folder: string;
}

/** What a load tool saw in one round. */
export interface LoadResult {
  readonly requests: number;
  readonly rps: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 2xx, and connections that broke. */
  readonly failures: number;
}

/** Longer than any deadline of the gateway. */
const TIMEOUT_S = 10;

/** The tools that can make the load. */
export type LoadTool = 'wrk' | 'autocannon';

/** `wrk` where it is installed, because it leaves more of its core to the services; else `autocannon`. */
export function chooseLoadTool(): LoadTool {
  return onPath('wrk') === undefined ? 'autocannon' : 'wrk';
}

/** Makes one round of load in a process of its own: closed loop, keep-alive. */
export async function load(tool: LoadTool, options: LoadOptions): Promise<LoadResult> {
  if (options.isHttp2) return loadByScript('http2-load.ts', options);
  return tool === 'wrk' ? loadByWrk(options) : loadByScript('autocannon-load.ts', options);
}

async function loadByWrk(options: LoadOptions): Promise<LoadResult> {
  const script = join(options.folder, 'request.lua');
  writeFileSync(script, luaOf(options));
  const { connections, seconds, origin, request, core } = options;
  // Late is not wrong: without a timeout of our own, wrk counts an answer after 2 s as an error.
  const limits = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', `${TIMEOUT_S}s`];
  const args = [...limits, '-s', script, origin + request.path];
  const text = await outputOf({ command: 'wrk', args, core });
  const result = JSON.parse(text.slice(text.lastIndexOf('\n{') + 1)) as LoadResult & { micros: number };
  return { ...result, rps: result.requests / (result.micros / 1e6) };
}

function luaOf({ request, tokens }: LoadOptions): string {
  const headers = Object.entries(request.headers).map(([k, v]) => `wrk.headers[${lua(k)}] = ${lua(v)}\n`);
  const turns = `
local tokens = { ${tokens.map(lua).join(', ')} }
local ready, turn = {}, 0
function init()
  for i, token in ipairs(tokens) do
    wrk.headers["authorization"] = "Bearer " .. token
    ready[i] = wrk.format()
  end
end
function request()
  turn = turn % #ready + 1
  return ready[turn]
end
`;
  return `wrk.method = ${lua(request.method)}
${headers.join('')}${request.body === undefined ? '' : `wrk.body = ${lua(request.body)}\n`}
${tokens.length === 0 ? '' : turns}
function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\\n{"requests":%d,"micros":%d,"p50Ms":%.3f,"p99Ms":%.3f,"failures":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    e.status + e.connect + e.read + e.write + e.timeout))
end
`;
}

function lua(text: string): string {
  return JSON.stringify(text);
}

async function loadByScript(name: string, options: LoadOptions): Promise<LoadResult> {
  const file = join(options.folder, 'load.json');
  writeFileSync(file, JSON.stringify(options));
  const script = join(import.meta.dirname, name);
  const text = await outputOf({ command: process.execPath, args: [script, file], core: options.core });
  return JSON.parse(text) as LoadResult;
}
