import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { freePort } from '../src/listeners/free-port.ts';
import type { TokenAlgorithm } from '../examples/services/identity.ts';
import { certificate } from '../test/support/certificates.ts';
import type { BenchCase } from './cases.ts';
import { outputOf, startChild, stopChild, untilListening } from './children.ts';
import { usageOf } from './cpu.ts';
import { onPath, type Cores } from './machine.ts';
import { writeRoutes } from './many-routes.ts';
import type { ServiceReport } from './services.ts';

const ROOT = join(import.meta.dirname, '..');
/** The bin of the gateway. */
export const BIN = join(ROOT, 'bin', 'gatehouse.js');

/** A process that is measured. */
export interface Subject {
  /** For messages: `gateway`, or the file of a twin. */
  readonly name: string;
  readonly child: ChildProcess;
  readonly pid: number;
  readonly origin: string;
  /** Address of the operators' listener; empty for a twin. */
  readonly adminOrigin: string;
  /** File with its standard output; empty for a twin. */
  readonly logFile: string;
}

/** Who is compared in a case. */
export interface Subjects {
  readonly gateway: Subject;
  readonly twin: Subject;
  /** In the order of the case. */
  readonly peers: readonly Subject[];
}

/** How a server by others, or a twin, is started. */
export interface ServerOptions {
  /** For messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Where it listens. */
  readonly port: number;
  readonly logFile?: string;
}

/** The flags that the bin, `npm start` and the container start the gateway with. */
export const START_FLAGS = [
  '--max-semi-space-size=64',
  '--no-allocation-site-pretenuring',
  '--v8-pool-size=1',
  '--external-memory-accounted-in-global-limit',
];

/** What all cases share: the sample services, tokens, perhaps Redis, and a folder that goes away at the end. */
export class Stand {
  readonly folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  readonly cores: Cores;
  tokens: readonly string[] = [];
  /** Address of the services' control server. */
  controlOrigin = '';
  redisUrl: string | undefined = undefined;
  #env: Readonly<Record<string, string>> = {};
  readonly #children: ChildProcess[] = [];

  constructor(cores: Cores) {
    this.cores = cores;
  }

  /** Where the services are, as `USERS`, `ISSUER` ...; configurations may name them. */
  get env(): Readonly<Record<string, string>> {
    return this.#env;
  }

  /** Starts the sample services, and Redis where there is one. Tokens are signed with `algorithm`. */
  async open(tokens: number, algorithm: TokenAlgorithm = 'ES256'): Promise<void> {
    const script = join(ROOT, 'bench', 'services.ts');
    const env = { TOKENS: String(tokens), TOKEN_ALGORITHM: algorithm };
    const child = this.#start(process.execPath, [script], { env, core: this.cores.others, stdout: 'pipe' });
    const report = JSON.parse(await firstLine(child)) as ServiceReport;
    this.tokens = report.tokens;
    this.controlOrigin = report.control;
    this.#env = { ...report.env, ...this.#ownCertificate() };
    if (onPath('redis-server') !== undefined) await this.#startRedis();
  }

  /**
   * Starts the gateway of a case as users start it. `flags` are for Node, `more` is for its environment, where PORT and
   * ADMIN_PORT may stand as well.
   */
  async startGateway(
    one: Pick<BenchCase, 'name' | 'config' | 'logLevel' | 'needsRedis' | 'routes' | 'traced'>,
    flags: readonly string[] = [],
    more: Readonly<Record<string, string>> = {},
  ): Promise<Subject> {
    const port = Number(more['PORT'] ?? (await freePort()));
    const adminPort = Number(more['ADMIN_PORT'] ?? (await freePort()));
    const logFile = join(this.folder, `${one.name}-${port}.log`);
    const env = {
      ...this.#env,
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: String(port),
      ADMIN_PORT: String(adminPort),
      LOG_LEVEL: one.logLevel,
      OTEL_EXPORTER_OTLP_ENDPOINT: one.traced === true ? (this.#env['COLLECTOR'] ?? '') : '',
      REDIS_URL: one.needsRedis === undefined ? '' : (this.redisUrl ?? ''),
      ...more,
    };
    const bin = [BIN, 'start', '--config', this.configOf(one)];
    const stdout = openSync(logFile, 'w');
    const child = this.#start(process.execPath, [...START_FLAGS, ...flags, ...bin], {
      env,
      core: this.cores.measured,
      stdout,
    });
    await untilListening(child, port, `the gateway with bench/${one.config}`);
    return { ...subjectOf('gateway', child, port), adminOrigin: `http://127.0.0.1:${adminPort}`, logFile };
  }

  /** The configuration file of a case; one that is not of `bench/` has its whole path. */
  configOf({ config, routes }: Pick<BenchCase, 'config' | 'routes'>): string {
    return routes === undefined ? resolve(ROOT, 'bench', config) : writeRoutes(this.folder, config, routes);
  }

  /** Checks a configuration, as users do before they start; returns how much CPU that took, in ms. */
  async validate(configFile: string): Promise<number> {
    // With all descendants, those that have ended too; the services have nothing to do meanwhile.
    const before = usageOf(process.pid).cpuUs;
    const args = [...START_FLAGS, BIN, 'validate', '--config', configFile];
    await outputOf({ command: process.execPath, args, env: this.#env, core: this.cores.measured });
    return (usageOf(process.pid).cpuUs - before) / 1000;
  }

  /** Starts a file of `bench/twins/`. `flags` are for Node. */
  async startTwin(file: string, flags: readonly string[] = []): Promise<Subject> {
    return this.startNode(join(ROOT, 'bench', 'twins', file), file, { flags });
  }

  /** Starts a script that listens on `PORT`; `env` goes before the addresses of the services. */
  async startNode(
    script: string,
    name: string,
    { flags = [], env = {} }: { flags?: readonly string[]; env?: Readonly<Record<string, string>> } = {},
  ): Promise<Subject> {
    const port = await freePort();
    const all = { ...this.#env, ...env, NODE_ENV: 'production', PORT: String(port) };
    return this.startServer({ name, command: process.execPath, args: [...flags, script], env: all, port });
  }

  /** Starts any server that listens on `port`, on the core that all share in turn; what it prints goes to `logFile`. */
  async startServer({ name, command, args, env, port, logFile = '' }: ServerOptions): Promise<Subject> {
    const stdout = logFile === '' ? 'ignore' : openSync(logFile, 'w');
    const child = this.#start(command, [...args], { env, core: this.cores.measured, stdout });
    await untilListening(child, port, name);
    return { ...subjectOf(name, child, port), adminOrigin: '', logFile };
  }

  /** Starts a script that prints the addresses of further services as its first line; configurations may name them. */
  async addServices(file: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
    const { told } = await this.startTelling<Record<string, string>>(file, env);
    this.#env = { ...this.#env, ...told };
  }

  /** Starts a script of `bench/` beside the services, which prints one line of JSON once it is ready. */
  async startTelling<Told>(
    file: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly child: ChildProcess; readonly told: Told }> {
    const child = this.startScript(file, env);
    return { child, told: JSON.parse(await firstLine(child)) as Told };
  }

  /** Starts a script of `bench/` beside the services; what it prints is to be read. `nice` is how far it stands back. */
  startScript(file: string, env: Readonly<Record<string, string>> = {}, nice = 0): ChildProcess {
    const line = ['-n', String(nice), process.execPath, join(ROOT, 'bench', file)];
    return this.#start('nice', line, { env, core: this.cores.others, stdout: 'pipe' });
  }

  /** Starts any server that listens on `port` beside the services. */
  async startBeside(command: string, args: string[], port: number): Promise<void> {
    await untilListening(this.#start(command, args, { core: this.cores.others }), port, command);
  }

  /** Starts what makes load at a fixed rate, beside the services. */
  startPaced(): ChildProcess {
    const script = join(ROOT, 'bench', 'paced-load-process.ts');
    return this.#start(process.execPath, [script], {
      core: this.cores.others,
      stdout: 'pipe',
      stdin: 'pipe',
    });
  }

  /** Ends all children and removes the folder. */
  async close(): Promise<void> {
    await Promise.all(this.#children.map((child) => stopChild(child)));
    rmSync(this.folder, { recursive: true, force: true });
  }

  #ownCertificate(): { readonly TLS_CERT: string; readonly TLS_KEY: string } {
    const { cert, key } = certificate({ name: 'bench', hosts: ['localhost', '127.0.0.1'] });
    const files = { TLS_CERT: join(this.folder, 'own.pem'), TLS_KEY: join(this.folder, 'own.key') };
    writeFileSync(files.TLS_CERT, cert);
    writeFileSync(files.TLS_KEY, key);
    return files;
  }

  async #startRedis(): Promise<void> {
    const port = await freePort();
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const child = this.#start('redis-server', [...args, '--dir', this.folder], { core: this.cores.others });
    await untilListening(child, port, 'redis-server');
    this.redisUrl = `redis://127.0.0.1:${port}`;
  }

  #start(
    command: string,
    args: string[],
    options: Omit<Parameters<typeof startChild>[0], 'command' | 'args'>,
  ) {
    const child = startChild({ command, args, ...options });
    this.#children.push(child);
    return child;
  }
}

function subjectOf(
  name: string,
  child: ChildProcess,
  port: number,
): Pick<Subject, 'name' | 'child' | 'pid' | 'origin'> {
  return { name, child, pid: child.pid ?? 0, origin: `http://127.0.0.1:${port}` };
}

async function firstLine(child: ChildProcess): Promise<string> {
  let text = '';
  const ended = once(child, 'exit').then(() =>
    Promise.reject(new Error('a script ended before it was ready')),
  );
  const read = (async () => {
    while (!text.includes('\n')) text += String(((await once(child.stdout ?? child, 'data')) as [Buffer])[0]);
    return text;
  })();
  return Promise.race([read, ended]);
}
