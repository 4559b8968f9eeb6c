import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeRoutes } from '../../admin/route-listing.ts';
import { formatFaults } from '../../config/config-fault.ts';
import { readEnvironment } from '../../config/env.schema.ts';
import type { Gateway } from '../../main.ts';
import type { GatewaySource } from '../../routing/table-builder.ts';
import { redacted } from '../../telemetry/redaction.ts';
import { faultText } from '../fault-text.ts';
import type { DevCommand } from './dev-command.ts';
import { DevFakes } from './dev-fakes.ts';
import { DevLines, TRIGGER } from './dev-lines.ts';
import type { LoadedFiles } from './loaded-files.ts';
import type { FromChild, Serving } from './messages.ts';
import { sourceFiles } from './source-files.ts';

/** What a gateway under development is started with. */
export interface DevGatewayOptions {
  readonly command: DevCommand;
  /** Whether faults have colors. */
  readonly color: boolean;
  readonly files: LoadedFiles;
  /** Tells whoever has started it. */
  readonly say: (message: FromChild) => void;
}

/** Lines of a stack that say nothing of a team's code. */
const INNER = /\n\s+at [^\n]*(?:node:internal|[\\/]dist[\\/]cli[\\/])[^\n]*/g;
const NONE = { urls: [], adminUrl: '', routes: [], fakes: [] } as const;
const LOOK_MS = 5;
const PROJECT_FILES = ['gatehouse.config.ts', 'gatehouse.config.js', 'gatehouse.config.mjs'];

/** One gateway under development, from its start to its end: what code it has is settled, its configuration is not. */
export class DevGateway {
  readonly #options: DevGatewayOptions;
  readonly #fakes: DevFakes;
  #gateway: Gateway | undefined = undefined;
  #current: (() => GatewaySource) | undefined = undefined;
  #serving: Serving = NONE;

  constructor(options: DevGatewayOptions) {
    this.#options = options;
    const { command, say } = options;
    this.#fakes = new DevFakes(command, {
      say: (text) => say({ is: 'said', text: redacted(text) }),
      changed: () => void this.reload(),
    });
  }

  /** Loads the code and serves, and tells whether it does. Never rejects. */
  async start(): Promise<void> {
    const { say, files } = this.#options;
    try {
      await this.#started();
      say({ is: 'ready', serving: await this.#told(), files: files.all });
      this.#fakes.watch();
    } catch (error) {
      say({ is: 'failed', text: this.#textOf(error), files: files.all });
    }
  }

  /** Reads the configuration again, and tells what became of it. Never rejects. */
  async reload(): Promise<void> {
    const { say, files, color } = this.#options;
    const gateway = this.#gateway;
    if (gateway === undefined || this.#current === undefined) return;
    for (const { path, kind } of files.all) if (kind === 'config') files.again(path, kind);
    try {
      await this.#fakes.reread(this.#current().document.file);
    } catch (error) {
      const text = this.#textOf(error);
      return say({ is: 'reloaded', outcome: 'faulty', text, serving: this.#serving, files: files.all });
    }
    const { outcome, faults } = await gateway.reload(TRIGGER);
    const text = faults.length === 0 ? '' : redacted(formatFaults(faults, { color }));
    say({ is: 'reloaded', outcome, text, serving: await this.#told(), files: files.all });
  }

  /** Ends once what is open has ended, or has had its time; tells when nobody comes any more. */
  async leave(): Promise<void> {
    this.#fakes.unwatch();
    const closed = this.#gateway?.close();
    while (this.#gateway?.app.getHttpServer().listening === true) await sleep(LOOK_MS);
    this.#options.say({ is: 'left' });
    await closed;
    await this.#fakes.close();
  }

  /** Ends now. */
  async end(): Promise<void> {
    this.#gateway?.cutOff();
    await this.leave();
  }

  async #started(): Promise<void> {
    const { command, files } = this.#options;
    const { createGateway } = await import('../../main.ts');
    const { createLogger } = await import('../../telemetry/logger.ts');
    const { modulesFor, readWhole } = await import('../compiled.ts');
    const { takeModules } = await import('../project/modules-option.ts');
    for (const name of PROJECT_FILES) files.note(resolve(name), 'code');
    const wanted = command.modules.flatMap((file) => ['--modules', file]);
    for (const file of command.modules) files.note(resolve(file), 'code');
    const { modules, shown } = await takeModules(['start', ...wanted], process.env, undefined);
    Object.assign(process.env, shown);
    const environment = { ...readEnvironment(process.env), workers: 1 };
    files.note(resolve(command.configFile ?? environment.configFile), 'config');
    const { source: read } = await readWhole(command.configFile, modules);
    this.#noteSource(read);
    const offered = await modulesFor(read, modules);
    await this.#fakes.prepare(read);
    const adapt = (one: GatewaySource): GatewaySource => this.#fakes.adapt(one);
    const logger = createLogger(environment.logLevel, new DevLines());
    const gateway = await createGateway({
      environment,
      source: adapt(read),
      modules: offered,
      logger,
      adapt,
    });
    this.#gateway = gateway;
    await gateway.listen();
  }

  async #told(): Promise<Serving> {
    const gateway = this.#gateway as Gateway;
    const { Snapshots } = await import('../../snapshot/snapshots.ts');
    const snapshots = gateway.app.get(Snapshots);
    const { table, upstreams, source } = snapshots.current;
    this.#current = () => snapshots.current.source;
    this.#noteSource(source);
    this.#fakes.use(snapshots.current);
    const routes = describeRoutes(table.routes, upstreams, source.value);
    const { urls, adminUrl } = gateway;
    return (this.#serving = { urls, adminUrl, routes, fakes: this.#fakes.lines });
  }

  #noteSource(source: GatewaySource): void {
    const { files } = this.#options;
    for (const path of sourceFiles(source)) files.note(path, 'config');
    for (const path of this.#fakes.files) files.note(path, 'config');
  }

  #textOf(error: unknown): string {
    const { name, code, message = '', stack = message } = error as NodeJS.ErrnoException;
    const isKnown = name === 'ConfigError' || name === 'UsageError' || code !== undefined;
    const text = isKnown || message.includes('\n') ? faultText(error, this.#options.color) : stack;
    return redacted(text.replaceAll(INNER, ''));
  }
}
