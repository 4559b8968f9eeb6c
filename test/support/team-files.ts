import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGateway } from '../../src/embedded-gateway.ts';
import { ConfigError, type ConfigFault } from '../../src/config/config-fault.ts';
import type { Gateway } from '../../src/main.ts';
import { Reloads } from '../../src/snapshot/reloads.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { LogLines, type LogLine } from '../../src/testing/log-lines.ts';
import { call } from './client.ts';

/** A configuration of several files in a folder of its own. */
export class TeamFiles {
  readonly folder = mkdtempSync(join(tmpdir(), 'gatehouse-teams-'));
  readonly file = join(this.folder, 'gateway.yaml');

  /** Writes a file; what is no text as JSON, which is YAML. */
  write(name: string, content: string | object): void {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content, null, 1));
  }

  remove(name = ''): void {
    rmSync(join(this.folder, name), { recursive: true });
  }

  /** What `validate` finds, by the file that it is in. */
  async faults(
    variables: Readonly<Record<string, string>> = {},
  ): Promise<ReadonlyMap<string, readonly ConfigFault[]>> {
    const found = await this.#check(variables);
    const named = found.map((fault) => ({ ...fault, file: fault.file.replace(`${this.folder}/`, '') }));
    return Map.groupBy(named, ({ file }) => file);
  }

  async #check(variables: Readonly<Record<string, string>>): Promise<readonly ConfigFault[]> {
    try {
      const logger = createLogger('silent');
      const gateway = await createGateway({
        config: this.file,
        environment: { ...ENVIRONMENT, ...variables },
        logger,
        dryRun: true,
      });
      await gateway.init();
      await gateway.app.close();
      return [];
    } catch (error) {
      if (error instanceof ConfigError) return error.faults;
      throw error;
    }
  }

  /** Starts a gateway with it, which looks at its files. */
  async start(): Promise<RunningTeams> {
    const log = new LogLines(Infinity);
    const gateway = await createGateway({
      config: this.file,
      environment: ENVIRONMENT,
      logger: createLogger('info', log),
    });
    await gateway.listen();
    return new RunningTeams(gateway, log);
  }
}

const ENVIRONMENT = {
  PORT: '0', HOST: '127.0.0.1', ADMIN_PORT: '0', NODE_ENV: 'test', DRAIN_DELAY: '0s',
}; // prettier-ignore

/** A gateway that serves a configuration of several files. */
export class RunningTeams {
  readonly gateway: Gateway;
  readonly #log: LogLines;

  constructor(gateway: Gateway, log: LogLines) {
    this.gateway = gateway;
    this.#log = log;
  }

  get lines(): readonly LogLine[] {
    return this.#log.lines;
  }

  /** Looks at files often, so that no test waits long. */
  watch(): void {
    this.gateway.app.get(Reloads).watch({ lookEveryMs: 20, quietMs: 20 });
  }

  /** What the operators' listener says. */
  async admin(path: string): Promise<unknown> {
    const { headers, text } = await call(this.gateway.adminUrl + path);
    return String(headers['content-type']).includes('json') ? JSON.parse(text) : text;
  }

  async status(path: string): Promise<number> {
    return (await call(this.gateway.url + path)).status;
  }

  /** What clients are answered. */
  async text(path: string): Promise<string> {
    return (await call(this.gateway.url + path)).text;
  }

  /** Waits until something holds; the test's own timeout ends it otherwise. */
  async until(holds: () => boolean | Promise<boolean>): Promise<void> {
    while (!(await holds())) await sleep(10);
  }
}

/** A route that answers by itself, with its id unless a text is said. */
export const fixed = (id: string, path: string, body = id): object => ({
  id,
  match: { path },
  respond: { status: 200, body },
});

/** The file of a gateway whose teams may call the upstream `shared`, and targets of the loopback interface. */
export function mainFile(target: string, more: object = {}, entry: object = {}): object {
  const rights = { upstreams: ['shared'], targets: ['127.0.0.1'] };
  return {
    version: 1,
    floodLimit: 'off',
    defaults: { policies: { authentication: 'public' } },
    upstreams: { shared: { targets: [target] }, secret: { targets: [target] } },
    include: [{ files: 'teams/*.yaml', rights, ...entry }],
    ...more,
  };
}
