import { rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { benchConfig, uncopied, variantsOf, VARIANT_FIELD, type Variant } from '../bench/bench-config.ts';
import { benchResult, GATEWAY, PIPE, renderBench, type BenchResult } from '../bench/bench-result.ts';
import { startGateway, startLoad, startPipe } from '../bench/children.ts';
import type { LoadRequest } from '../bench/load.ts';
import { measure, NoSuccess, type Contender } from '../bench/rounds.ts';
import { StandInUpstreams } from '../bench/stand-in-upstreams.ts';
import { ConfigError } from '../config/config-fault.ts';
import type { GatewaySource } from '../routing/table-builder.ts';
import { benchTarget, type BenchTarget } from './bench-target.ts';
import type { BenchCommand } from './bench-command.ts';
import type { OfferedModules, Outlet } from './commands.ts';
import { compiled } from './compiled.ts';
import { UsageError } from './options.ts';

const LONGEST_SHOWN = 600;

/**
 * Measures a route of a configuration beside a bare pipe, and what each of its policies costs.
 *
 * @throws {UsageError} for a route that there is none of, for a request that it does not take or answer with success.
 */
export async function runBench(command: BenchCommand, offered: OfferedModules, out: Outlet): Promise<void> {
  const body = command.bodyFile === undefined ? undefined : await textOf(command.bodyFile);
  const target = await benchTarget(command, body, offered);
  const standIns = new StandInUpstreams();
  const file = join(dirname(target.source.document.file), `.gatehouse-bench-${process.pid}.yaml`);
  const gone = (): void => rmSync(file, { force: true });
  // Whoever has enough of it leaves no file behind.
  const stop = (): never => process.exit(130);
  process.once('exit', gone).once('SIGINT', stop);
  try {
    const stood = await standIns.start(withPipe(target));
    const result = await benched(command, { target, stood, file, offered });
    out.write(command.json ? `${JSON.stringify(result, null, 2)}\n` : renderBench(result));
  } catch (error) {
    throw error instanceof NoSuccess ? new UsageError(noSuccess(error, target)) : error;
  } finally {
    gone();
    process.off('exit', gone).off('SIGINT', stop);
    await standIns.close();
  }
}

/** What the pipe goes to, beside the upstreams of the configuration. */
const PIPED = 'the bare pipe';

function withPipe({ source }: BenchTarget): GatewaySource['value']['upstreams'] {
  const { upstreams } = source.value;
  const some = Object.values(upstreams)[0];
  const targets = [{ url: 'http://127.0.0.1', weight: 1, labels: {}, priority: 0 }];
  return some === undefined
    ? upstreams
    : { ...upstreams, [PIPED]: { ...some, protocol: 'http', targets, discovery: undefined } };
}

interface Bench {
  readonly target: BenchTarget;
  readonly stood: Readonly<Record<string, readonly string[]>>;
  /** Where the configuration for measuring is written: beside the other one, because names of files start from there. */
  readonly file: string;
  readonly offered: OfferedModules;
}

async function benched(command: BenchCommand, bench: Bench): Promise<BenchResult> {
  const { target, stood, file } = bench;
  const { variants, kept } = await possibleVariants(command, bench);
  const ends: (() => Promise<void>)[] = [];
  try {
    const gateway = await startGateway(process.argv[1] ?? '', file);
    ends.push(() => gateway.end());
    const piped = command.real ? target.origin : stood[PIPED]?.[0];
    const pipe = await startPipe(piped ?? '');
    ends.push(() => pipe.end());
    const load = startLoad();
    ends.push(() => load.end());
    const { request, sentPath } = target;
    const contenders: readonly Contender[] = [
      { name: PIPE, subject: pipe, request: { ...request, path: sentPath } },
      { name: GATEWAY, subject: gateway, request },
      ...variants.map(({ name }) => ({ name, subject: gateway, request: marked(request, name) })),
    ];
    const { rounds, roundMs, connections } = command;
    const run = (options: Parameters<typeof load.run>[0]) => load.run(options);
    const found = await measure(contenders, { rounds, roundMs, connections, run });
    const upstream = command.real ? target.upstream : `${target.upstream} (stood in for)`;
    const shown = `${request.method} ${request.path}`;
    const unmeasured = uncopied(target.raw);
    const about = {
      route: target.route.id,
      request: shown,
      upstream,
      rounds,
      roundMs,
      connections,
      kept,
      unmeasured,
    };
    return benchResult(about, found, variants);
  } finally {
    for (const end of ends) await end();
  }
}

/** Writes the configuration, without the copies that make none: what cannot be left out alone is told. */
async function possibleVariants(command: BenchCommand, { target, stood, file, offered }: Bench) {
  const { document } = target.source;
  const kept: { policy: string; why: string }[] = [];
  let variants = variantsOf(target.route, target.raw);
  for (;;) {
    const targets = command.real ? undefined : stood;
    const config = benchConfig(document.value, { index: target.index, variants, targets });
    await written(file, stringify(config));
    try {
      await (await compiled(file, offered)).gateway.app.close();
      return { variants, kept };
    } catch (error) {
      const faulty =
        error instanceof ConfigError ? variants.filter((one) => faultOf(error, one) !== undefined) : [];
      if (faulty.length === 0) throw error;
      kept.push(
        ...faulty.map((one) => ({
          policy: one.without.join(', ') || 'all',
          why: faultOf(error as ConfigError, one) ?? '',
        })),
      );
      variants = variants.filter((one) => !faulty.includes(one));
    }
  }
}

// Secrets that stand in variables are in it.
async function written(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { mode: 0o600 });
  } catch (error) {
    throw new UsageError(
      `bench: a copy of the configuration is written beside it, because names of files start there: ${(error as Error).message}`,
    );
  }
}

function faultOf(error: ConfigError, { name }: Variant): string | undefined {
  return error.faults.find(({ routeId }) => routeId?.endsWith(`--${name}`) === true)?.message;
}

function marked(request: LoadRequest, name: string): LoadRequest {
  return { ...request, headers: [...request.headers, [VARIANT_FIELD, name]] };
}

function noSuccess({ contender, result }: NoSuccess, { request, route }: BenchTarget): string {
  const counts = Object.entries(result.statuses).map(([status, count]) =>
    status === '0' ? `${count} × no answer` : `${count} × ${status}`,
  );
  const sample = result.sample === undefined ? '' : `\n\n${result.sample.slice(0, LONGEST_SHOWN)}`;
  return `bench: ${request.method} ${request.path} of route ${route.id} is not answered with 2xx by the ${contender}: ${counts.join(', ')}; a credential is given with --header 'Authorization: Bearer …', what else the route needs with --path, --method, --header and --body FILE${sample}`;
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new UsageError(`--body: ${isMissing ? `there is no file ${file}` : (error as Error).message}`);
  }
}
