/** What `gatehouse.config.ts` says: where the parts of a team's project are, as seen from its folder. */
export interface ProjectConfig {
  /** The configuration of the gateway. Default `config/gateway.yaml`; `--config` and `GATEHOUSE_CONFIG` hold over it. */
  readonly config?: string;
  /**
   * Files that export `modules`, the list of what `modules:` of the configuration can name: compiled, or `.ts`, which
   * the `typescript` of the project compiles as it is loaded. Default none; `--modules` and `GATEHOUSE_MODULES` hold over it.
   */
  readonly modules?: string | readonly string[];
}

/** Checks the types of a project's configuration, and gives it back: `export default defineConfig({ … })`. */
export function defineConfig(config: ProjectConfig): ProjectConfig {
  return config;
}
